"""What this process has learnt about runs under way. It can all be learnt again: losing it costs requests only."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime

from autopack_operator.app.parsed_spec import ParsedSpec
from autopack_operator.domain.api.common import Source
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.keys import Key
from autopack_operator.domain.run.world import PodProblem
from autopack_operator.domain.views import (
    AnchorVerdict,
    Attempt,
    CommittedWork,
    LeaseConflict,
    RunView,
    VolumeFailure,
)

UNREADABLE = AutopackRunSpec(source=Source(repository="unreadable"), command=["unreadable"])
"""Stands in for a spec that was stored before a rule existed; nothing is ever started from it."""


@dataclass(slots=True)
class RunMemory:
    """Answers of the steps taken for one run. Fields as in domain/run/world.py; `attempt` is what they are about."""

    attempt: int = 0
    anchor: AnchorVerdict | None = None
    prepared: Attempt | VolumeFailure | str | None = None
    lease: int | LeaseConflict | None = None
    profile_absent: bool = False
    pod_absent: bool = False
    pod_seen: bool = False
    pod_uid: str | None = None
    pod_gone_at: datetime | None = None
    pod_problem: PodProblem | None = None
    stop_asked: str | None = None
    committed: CommittedWork | VolumeFailure | str | None = None
    lease_released: bool = False
    turn: bool | None = None
    parsed: ParsedSpec[AutopackRunSpec] = field(default_factory=lambda: ParsedSpec(AutopackRunSpec), compare=False)

    def spec_of(self, run: RunView) -> tuple[AutopackRunSpec, str]:
        """The run's spec; UNREADABLE, and what is wrong with it, when it cannot be parsed."""
        spec, error = self.parsed.of(run.uid, run.generation, run.spec)
        return spec or UNREADABLE, error

    def forget_answers_that_age(self) -> None:
        """At the start of a reconcile: ask again what was refused, pending or absent the last time."""
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
            fresh = RunMemory(attempt=attempt, anchor=self.anchor, parsed=self.parsed)
            for each in fields(self):
                setattr(self, each.name, getattr(fresh, each.name))


class RunMemories:
    """By key: a run that comes back under the same name with a new UID starts with none."""

    def __init__(self) -> None:
        self._memories: dict[Key, tuple[str, RunMemory]] = {}

    def of(self, key: Key, uid: str) -> RunMemory:
        """What is known of that run, empty at first."""
        known = self._memories.get(key)
        if known is None or known[0] != uid:
            known = self._memories[key] = (uid, RunMemory())
        return known[1]

    def forget(self, key: Key) -> None:
        """The run is finished or gone."""
        self._memories.pop(key, None)
