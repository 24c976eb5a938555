"""What a decision about a run sees, and the steps that it can ask for."""

from __future__ import annotations

from dataclasses import dataclass

from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.api.status import AutopackRunStatus
from autopack_operator.domain.views import (
    AnchorVerdict,
    Attempt,
    CommittedWork,
    LeaseConflict,
    PodView,
    VolumeFailure,
)


@dataclass(frozen=True, slots=True)
class PodProblem:
    """The pod could not be made. `hopeless`: trying the same again would not help."""

    reason: str
    message: str
    hopeless: bool


@dataclass(frozen=True, slots=True)
class World:
    """Everything but the run itself. None means: not known yet (a step will find out), never: known to be absent.

    Attributes:
        spec: the run's spec, parsed.
        spec_error: why it cannot be; `spec` is only a stand-in then.
        profile: the parsed RunProfile as the cache has it.
        profile_error: why the RunProfile cannot be parsed.
        profile_absent: a live read found no such profile.
        canceled: cancel was asked for, on the run or on its batch.
        held: suspend was asked for.
        batch_unknown: the run belongs to a batch that the cache does not have.
        anchor: the gate's answer.
        prepared: what the volume pinned for the next (or the current) attempt; "pending" while it fetches.
        lease: the attempt that holds the run's Lease in this process's knowledge, or the conflict.
        pod: the current attempt's pod as the cache has it.
        pod_absent: a live read found no such pod.
        pod_seen: this process has seen a pod of the current attempt.
        pod_stopped: this process has seen that pod with no container running any more.
        pod_gone_for: seconds since a live read first found no such pod.
        pod_problem: why the API server did not take the pod.
        stop_asked: UID of the pod whose deletion this process has asked for.
        committed: what the volume imported of the current attempt; "pending" while it imports.
        lease_released: this process let go of the run's Lease.
        turn: the quota of the profile lets the run start its next attempt.
        crowded: requests wait for their slots under the bound on them, or runs for a worker.

    """

    spec: AutopackRunSpec
    spec_error: str = ""
    profile: RunProfileSpec | None = None
    profile_error: str = ""
    profile_absent: bool = False
    canceled: bool = False
    held: bool = False
    batch_unknown: bool = False
    anchor: AnchorVerdict | None = None
    prepared: Attempt | VolumeFailure | str | None = None
    lease: int | LeaseConflict | None = None
    pod: PodView | None = None
    pod_absent: bool = False
    pod_seen: bool = False
    pod_stopped: bool = False
    pod_gone_for: float = 0.0
    pod_problem: PodProblem | None = None
    stop_asked: str | None = None
    committed: CommittedWork | VolumeFailure | str | None = None
    lease_released: bool = False
    turn: bool | None = None
    crowded: bool = False


PENDING = "pending"


@dataclass(frozen=True, slots=True)
class ReadAnchor:
    """Find the anchor and judge it."""


@dataclass(frozen=True, slots=True)
class LookUpProfile:
    """Read the RunProfile live: it may be younger than the cache."""

    name: str


@dataclass(frozen=True, slots=True)
class AskForTurn:
    """Ask the quota of the profile whether the run may start its next attempt."""


@dataclass(frozen=True, slots=True)
class Prepare:
    """Have the volume fetch the repository, pin the commit and make the attempt's folders; with `resume`, begin with
    what the attempt before it left.
    """

    attempt: int
    resume: bool = False


@dataclass(frozen=True, slots=True)
class AcquireLease:
    """Take the run's Lease, which is its lock and its workspace's, for the attempt."""

    attempt: int
    workspace: str


@dataclass(frozen=True, slots=True)
class LookUpPod:
    """Read the pod live: a cache that does not know it proves nothing."""

    name: str


@dataclass(frozen=True, slots=True)
class CreatePod:
    """Create the pod of the claimed attempt."""

    attempt: Attempt
    spec: AutopackRunSpec
    profile: RunProfileSpec


@dataclass(frozen=True, slots=True)
class DeletePod:
    """Stop the pod, with its grace period."""

    pod: PodView


@dataclass(frozen=True, slots=True)
class Commit:
    """Have the volume verify and import what the attempt left."""

    attempt: int
    remove_workspace: bool


@dataclass(frozen=True, slots=True)
class ReleaseLease:
    """Let go of the run's Lease."""

    attempt: int


@dataclass(frozen=True, slots=True)
class WriteStatus:
    """Write this status, if it differs from the stored one."""

    status: AutopackRunStatus


@dataclass(frozen=True, slots=True)
class DeleteRun:
    """The time to live is over."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do until an event, or until so many seconds have passed."""

    seconds: float | None = None


Step = (
    ReadAnchor
    | LookUpProfile
    | AskForTurn
    | Prepare
    | AcquireLease
    | LookUpPod
    | CreatePod
    | DeletePod
    | Commit
    | ReleaseLease
    | WriteStatus
    | DeleteRun
    | Wait
)
