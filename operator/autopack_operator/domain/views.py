"""Frozen, small projections of cluster objects: what decisions need and no more (10,000 runs live in memory)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Generic, Literal, TypeVar

from autopack.agents.usage import UNKNOWN, Usage
from autopack.phases import TERMINAL_PHASES, PodPhase
from autopack.unsaved import Unsaved
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.api.status import AutopackRunStatus, RunBatchStatus

Saved = Literal["all", "partly", "none", "unknown"]
"""How much of an attempt's work is saved; `unknown` where the keeper did not live to say."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The controlling owner of an object."""

    kind: str
    name: str
    uid: str


StatusT = TypeVar("StatusT", bound=AutopackRunStatus | RunBatchStatus)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectView(Generic[StatusT]):
    """What a run and a batch have alike. `spec` is the stored JSON; it is parsed when the object is reconciled."""

    kind: ClassVar[str]
    namespace: str
    name: str
    uid: str
    resource_version: str
    generation: int
    created_at: str
    deleting: bool
    anchor: str | None
    spec: JsonDict = field(compare=False)
    status: StatusT
    queue: str = ""
    """The Kueue LocalQueue that its label names; the runs of a batch get the same."""

    @property
    def terminal(self) -> bool:
        """A terminal phase never changes."""
        return self.status.phase in TERMINAL_PHASES


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView(ObjectView[AutopackRunStatus]):
    """An AutopackRun."""

    kind = "AutopackRun"
    owner: Owner | None
    batch_index: int | None = None
    """Which run of its batch it says that it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchView(ObjectView[RunBatchStatus]):
    """A RunBatch."""

    kind = "RunBatch"


@dataclass(frozen=True, slots=True)
class ProfileView:
    """A RunProfile."""

    namespace: str
    name: str
    uid: str
    generation: int
    spec: JsonDict = field(compare=False)


@dataclass(frozen=True, slots=True)
class ContainerView:
    """State of one container of a run's pod. `waiting` and `terminated` are reasons, None when not in that state."""

    name: str
    running: bool = False
    waiting: str | None = None
    waiting_message: str = ""
    terminated: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    message: str = ""
    started_at: str | None = None
    finished_at: str | None = None


@dataclass(frozen=True, slots=True)
class PodView:
    """A pod of a run. `stopped` is proof that no container of it runs any more, not an absence of news; `stops_by` is
    when its node should have given that proof, once it is being deleted.
    """

    namespace: str
    name: str
    uid: str
    resource_version: str
    owner: Owner | None
    attempt: int
    phase: str
    reason: str
    message: str
    created_at: str
    deleting: bool
    scheduled: bool
    disrupted: str | None
    containers: tuple[ContainerView, ...]
    gated: bool = False
    """Held by a scheduling gate: no scheduler has looked at it yet."""
    node: str = ""
    stops_by: str | None = None
    scheduled_at: str = ""
    """When it got its node; empty while it has none."""

    def container(self, name: str) -> ContainerView | None:
        """The container of that name, init containers included."""
        return next((container for container in self.containers if container.name == name), None)

    @property
    def stopped(self) -> bool:
        """Terminal, and no container is reported as running."""
        return self.phase in {PodPhase.SUCCEEDED, PodPhase.FAILED} and not any(
            container.running for container in self.containers
        )


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the volume service pinned for one attempt. Paths are relative to the volume's root; `resumed_from` is the
    commit whose state it begins with, None for that of `sha`. `kept` is where our own files lie, `artifacts` where
    the attempt was prepared before the two were apart.
    """

    number: int
    repository_key: str
    sha: str
    workspace: str
    artifacts: str
    kept: str
    resumed_from: str | None = None


@dataclass(frozen=True, slots=True)
class UnfinishedAttempt:
    """An attempt that the volume prepared and whose work was never imported."""

    run_uid: str
    run_name: str
    number: int


@dataclass(frozen=True, slots=True)
class CommittedWork:
    """What the volume service imported when an attempt was over. `unsaved` names the first of `unsaved_count`; `outbox`
    are the branches that the run pushed, with their commits; `usage` and `summary` are what its agent told.
    """

    complete: bool
    exit_code: int | None
    head: str | None
    ref: str | None
    manifest_sha256: str
    files: int
    size: int
    snapshot: str | None = None
    stop_reason: str | None = None
    saved: Saved = "all"
    unsaved: tuple[Unsaved, ...] = ()
    unsaved_count: int = 0
    outbox: Mapping[str, str] = field(default_factory=dict)
    usage: Usage = UNKNOWN
    summary: str = ""


@dataclass(frozen=True, slots=True)
class VolumeFailure:
    """The volume service said no, or what it has to be told is missing. `transient` failures are tried again; others
    end the attempt.
    """

    reason: str
    message: str
    transient: bool


@dataclass(frozen=True, slots=True)
class LeaseView:
    """A Lease that an attempt of a run holds, or held."""

    namespace: str
    run_name: str
    run_uid: str
    attempt: int


@dataclass(frozen=True, slots=True)
class LeaseConflict:
    """Somebody else holds the run's Lease."""

    lease: str
    holder: str


@dataclass(frozen=True, slots=True)
class AnchorVerdict:
    """Answer of the anchor gate. `max_concurrent_runs` is 0 when refused; `token_cap` bounds what is spent under it."""

    allowed: bool
    reason: str
    message: str
    max_concurrent_runs: int = 0
    token_cap: int | None = None
