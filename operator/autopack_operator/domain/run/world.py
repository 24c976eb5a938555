"""What a decision about a run sees, and the steps that it can ask for."""

from __future__ import annotations

from dataclasses import dataclass

from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.api.status import AutopackRunStatus, SpentBudget
from autopack_operator.domain.run.memory import RunMemory
from autopack_operator.domain.spending.views import Grant, Spent
from autopack_operator.domain.views import Attempt, PodView


@dataclass(frozen=True, slots=True)
class World:
    """Everything but the run itself: what is seen now, and what this process has learnt before.

    Attributes:
        spec: the run's spec, parsed.
        spec_error: why it cannot be; `spec` is only a stand-in then.
        known: the answers of steps.
        profile: the parsed RunProfile as the cache has it.
        profile_error: why the RunProfile cannot be parsed.
        canceled: cancel was asked for, on the run or on its batch.
        held: suspend was asked for.
        batch_unknown: the run belongs to a batch that the cache does not have.
        pod: the current attempt's pod as the cache has it.
        pod_stopped: this process has seen that pod with no container running any more.
        crowded: requests wait for their slots under the bound on them, or runs for a worker.
        metered: the run may reach models through the gateway.
        grant: what it may use there, as is stored now; None where that is nothing, or not known.
        grant_seconds: for how long that will not change by itself.
        spent: what the gateway says it has used.
        exhausted: the budget that it has spent, if one of those that bound it now.

    """

    spec: AutopackRunSpec
    known: RunMemory
    spec_error: str = ""
    profile: RunProfileSpec | None = None
    profile_error: str = ""
    canceled: bool = False
    held: bool = False
    batch_unknown: bool = False
    pod: PodView | None = None
    pod_stopped: bool = False
    crowded: bool = False
    metered: bool = False
    grant: Grant | None = None
    grant_seconds: float | None = None
    spent: Spent | None = None
    exhausted: SpentBudget | None = None


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
class GrantModels:
    """Tell the gateway what the pod may use. The pod does not wait for it: its relay asks again."""

    grant: Grant


@dataclass(frozen=True, slots=True)
class RevokeModels:
    """Have the gateway refuse whatever this attempt still asks for, and tell what the run has used."""

    attempt: int


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
    | GrantModels
    | RevokeModels
    | DeletePod
    | Commit
    | ReleaseLease
    | WriteStatus
    | Wait
)
