"""What a trial disturbs, as data: a plan is stored as JSON, and the same file plays the same trial again."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

TRIAL = "~"
"""Stands for the trial's own name in the names that a plan speaks of."""


class Kind(StrEnum):
    """What is done to the matched request, or to the watch that carries the matched event."""

    STATUS = "status"
    RESET_BEFORE = "reset-before"
    RESET_AFTER = "reset-after"
    DELAY = "delay"
    KILL_BEFORE = "kill-before"
    KILL_AFTER = "kill-after"
    KILL_LATE = "kill-late"
    KILL_STALE = "kill-stale"
    STOP_AFTER = "stop-after"
    STOP_LATE = "stop-late"
    LEADER_DELETED = "leader-deleted"
    LEADER_STOLEN = "leader-stolen"
    POD_FORCE_DELETED = "pod-force-deleted"
    POD_EVICTED = "pod-evicted"
    RIGHTS_REVOKED = "rights-revoked"
    COMPONENT_KILLED = "component-killed"
    DISK_FULL = "disk-full"
    DATABASE_KILLED = "database-killed"
    DATABASE_SLOW = "database-slow"
    DATABASE_READ_ONLY = "database-read-only"
    DATABASE_FULL = "database-full"
    HOST_AWAY = "host-away"
    TOKEN_EXPIRED = "token-expired"  # noqa: S105 - a word
    REMOTE_MOVED = "remote-moved"
    EVENT_HOLD = "event-hold"
    EVENT_DROP = "event-drop"
    EVENT_DUPLICATE = "event-duplicate"
    EVENT_REPLAY = "event-replay"
    EVENT_ERROR = "event-error"
    EVENT_TRUNCATE = "event-truncate"
    EVENT_SILENCE = "event-silence"

    @property
    def on_event(self) -> bool:
        """Whether it waits for an event of a watch, rather than for a request."""
        return self.value.startswith("event-")

    @property
    def of_database(self) -> bool:
        """Whether it is the registry's database that suffers."""
        return self.value.startswith("database-")

    @property
    def costs_an_attempt(self) -> bool:
        """Whether the run needs one attempt more than without it."""
        return self.value.startswith("pod-")


class Frozen(BaseModel):
    """Base of the models."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Match(Frozen):
    """The n-th (from 1) request, or event, of that verb, resource and name. Names are normalised: see calls.py."""

    verb: str
    resource: str
    name: str
    nth: Annotated[int, Field(ge=1)] = 1
    reason: str = ""
    """Only requests that write a status with this reason are counted; all when empty."""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.verb, self.resource, self.name, self.reason, f"#{self.nth}")))


class Fault(Frozen):
    """One disturbance. `code` is for `status`, `seconds` for all that last."""

    kind: Kind
    match: Match
    code: int = 0
    seconds: float = 0.0
    component: str = ""
    """For `component-killed`: a process of the node or of the control plane."""
    also_kill: bool = False
    """For `database-…`: the operator is killed too, while the database is away."""

    @property
    def late_lease(self) -> bool:
        """Whether a Lease may be created by a process that is long replaced, and when its run has ended."""
        return self.match.resource == "leases" and self.kind in {Kind.KILL_LATE, Kind.STOP_LATE}

    def __str__(self) -> str:
        what = " ".join(
            str(part) for part in (self.kind, self.code, self.component, "and kill" * self.also_kill) if part
        )
        return f"{what} at {self.match}"


class Plan(Frozen):
    """One trial."""

    workload: str
    category: str
    fault: Fault
    operators: Annotated[int, Field(ge=1, le=2)] = 1
    real: bool = False
    """With real pods on the real node."""
    resync_seconds: int = 300

    def __str__(self) -> str:
        return f"{self.category}: {self.workload}, {self.fault}"


class Plans(Frozen):
    """A file of plans."""

    plans: list[Plan]
