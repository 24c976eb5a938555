"""What this process has learnt about a batch under way. It can all be learnt again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from autopack_operator.domain.api.batch import RunBatchSpec
from autopack_operator.domain.api.common import Source
from autopack_operator.domain.api.run import RunTemplate
from autopack_operator.domain.batch.census import Census
from autopack_operator.domain.batch.matrix import items_of
from autopack_operator.domain.parsed_spec import ParsedSpec
from autopack_operator.domain.views import AnchorVerdict, BatchView

ANCHOR_SECONDS = 30.0
"""How long the answer of the gate holds while a batch runs; a withdrawn anchor stops new starts within this time."""

UNREADABLE = RunBatchSpec(template=RunTemplate(source=Source(repository="unreadable"), command=["unreadable"]))
"""Stands in for a spec that was stored before a rule existed; nothing is ever started from it."""


@dataclass(slots=True)
class BatchMemory:
    """One batch.

    Attributes:
        census: its runs by state.
        anchor: the gate's answer; None when not read yet.
        turns: how many runs may start now, by the quota of the profile; None when not asked yet.
        rejected: what the API server said when it rejected a run of this batch; empty when it did not.
        last_start: when this process last created a run of the batch; None when it has created none.
        written_at: when this process last wrote the batch's status, on the monotonic clock.
        runs_told: the runs under way have been told to look whether they are canceled.

    """

    census: Census
    anchor: AnchorVerdict | None = None
    anchor_read_at: float = 0.0
    turns: int | None = None
    rejected: str = ""
    last_start: datetime | None = None
    written_at: float = float("-inf")
    runs_told: bool = False
    parsed: ParsedSpec[RunBatchSpec] = field(default_factory=lambda: ParsedSpec(RunBatchSpec), compare=False)

    @classmethod
    def of(cls, batch: BatchView) -> BatchMemory:
        """What the batch's own status tells; its runs are to be seen one by one."""
        parsed = ParsedSpec(RunBatchSpec)
        spec, _ = parsed.of(batch.uid, batch.generation, batch.spec)
        return cls(Census(batch, items_of(spec or UNREADABLE)), parsed=parsed)

    def spec_of(self, batch: BatchView) -> tuple[RunBatchSpec, str]:
        """The batch's spec; UNREADABLE, and what is wrong with it, when it cannot be parsed."""
        spec, error = self.parsed.of(batch.uid, batch.generation, batch.spec)
        return spec or UNREADABLE, error

    def forget_answers_that_age(self, monotonic: float) -> None:
        """At the start of a reconcile: ask again what may have changed since the last one."""
        self.rejected, self.turns = "", None
        if monotonic - self.anchor_read_at > ANCHOR_SECONDS:
            self.anchor = None
