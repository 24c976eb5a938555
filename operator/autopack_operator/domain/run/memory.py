"""What this process has learnt about runs under way. It can all be learnt again: losing it costs requests only."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime

from autopack_operator.domain.api.common import Source
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.parsed_spec import ParsedSpec
from autopack_operator.domain.spending.views import GatewayFailure, Grant
from autopack_operator.domain.views import (
    AnchorVerdict,
    Attempt,
    CommittedWork,
    LeaseConflict,
    PodView,
    RunView,
    VolumeFailure,
)

ANCHOR_SECONDS = 30.0
"""How long an answer about the anchor holds: what it allows to be spent may be raised."""

UNREADABLE = AutopackRunSpec(source=Source(repository="unreadable"), command=["unreadable"])
"""Stands in for a spec that was stored before a rule existed; nothing is ever started from it."""


@dataclass(frozen=True, slots=True)
class PodProblem:
    """The pod could not be made. `hopeless`: trying the same again would not help."""

    reason: str
    message: str
    hopeless: bool


@dataclass(slots=True)
class RunMemory:
    """Answers of the steps taken for one run. A decision reads them and changes nothing in them.

    None means: not known yet (a step will find out), never: known to be absent.

    Attributes:
        attempt: the attempt that all of this is about.
        anchor: the gate's answer.
        prepared: what the volume pinned for the attempt; "pending" while it fetches.
        lease: the attempt that holds the run's Lease, or the conflict.
        profile_absent: a live read found no such profile.
        pod_absent: a live read found no such pod.
        pod_uid: that of the attempt's pod, once this process has seen it.
        pod_gone_at: when a live read first found it gone.
        pod_problem: why the API server did not take the pod.
        stop_asked: UID of the pod whose deletion this process has asked for.
        committed: what the volume imported of the attempt; "pending" while it imports.
        lease_released: this process let go of the run's Lease.
        granted: what the gateway took, or why it could not be told.
        revoked: it refuses this attempt, or why it could not be told so.
        turn: the quota of the profile lets the run start its next attempt.

    """

    attempt: int = 0
    anchor: AnchorVerdict | None = None
    prepared: Attempt | VolumeFailure | str | None = None
    lease: int | LeaseConflict | None = None
    profile_absent: bool = False
    pod_absent: bool = False
    pod_uid: str | None = None
    pod_gone_at: datetime | None = None
    pod_problem: PodProblem | None = None
    stop_asked: str | None = None
    committed: CommittedWork | VolumeFailure | str | None = None
    lease_released: bool = False
    granted: Grant | GatewayFailure | None = None
    revoked: bool | GatewayFailure = False
    turn: bool | None = None
    anchor_read_at: float = field(default=0.0, compare=False)
    parsed: ParsedSpec[AutopackRunSpec] = field(default_factory=lambda: ParsedSpec(AutopackRunSpec), compare=False)

    def spec_of(self, run: RunView) -> tuple[AutopackRunSpec, str]:
        """The run's spec; UNREADABLE, and what is wrong with it, when it cannot be parsed."""
        spec, error = self.parsed.of(run.uid, run.generation, run.spec)
        return spec or UNREADABLE, error

    @property
    def pod_seen(self) -> bool:
        """Whether this process has seen a pod of the attempt."""
        return self.pod_uid is not None

    def see_pod(self, pod: PodView | None, now: datetime) -> None:
        """The attempt's pod as the cache has it."""
        if pod is not None:
            self.pod_uid, self.pod_gone_at = pod.uid, None
        elif self.pod_absent and self.pod_gone_at is None:
            self.pod_gone_at = now

    def forget_answers_that_age(self, monotonic: float) -> None:
        """At the start of a reconcile: ask again what was refused, pending or absent the last time."""
        if monotonic - self.anchor_read_at > ANCHOR_SECONDS:
            self.anchor = None
        if isinstance(self.granted, GatewayFailure):
            self.granted = None
        if isinstance(self.revoked, GatewayFailure):
            self.revoked = False
        if not isinstance(self.prepared, Attempt):
            self.prepared = None
        if not isinstance(self.lease, int):
            self.lease = None
        if not isinstance(self.committed, CommittedWork):
            self.committed = None
        self.pod_absent = self.profile_absent = False
        self.pod_problem = self.turn = None

    def forget_other_attempts(self, attempt: int) -> None:
        """What was learnt about another attempt does not hold for this one. Judged by the run as it is stored, not by
        what this process wrote: an answer that was lost on its way may hide that the attempt has changed.
        """
        if attempt != self.attempt:
            fresh = RunMemory(
                attempt=attempt, anchor=self.anchor, anchor_read_at=self.anchor_read_at, parsed=self.parsed
            )
            for each in fields(self):
                setattr(self, each.name, getattr(fresh, each.name))
