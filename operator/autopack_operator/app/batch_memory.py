"""What this process has learnt about batches under way. It can all be learnt again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from autopack_operator.domain.api.batch import RunBatchSpec
from autopack_operator.domain.batch.census import Census
from autopack_operator.domain.batch.matrix import items_of
from autopack_operator.domain.keys import Key
from autopack_operator.domain.views import AnchorVerdict, BatchView
from autopack_operator.ports.cluster import Cache

ANCHOR_SECONDS = 30.0
"""How long the answer of the gate holds while a batch runs; a withdrawn anchor stops new starts within this time."""


@dataclass(slots=True)
class BatchMemory:
    """One batch. Fields as in domain/batch/world.py, unless said here."""

    uid: str
    generation: int
    spec: RunBatchSpec
    census: Census
    anchor: AnchorVerdict | None = None
    anchor_read_at: float = 0.0
    turns: int | None = None
    rejected: str = ""
    last_start: datetime | None = None
    written_at: float = float("-inf")
    runs_told: bool = False
    """The runs under way have been told to look whether they are canceled."""

    def forget_answers_that_age(self, monotonic: float) -> None:
        """At the start of a reconcile: ask again what may have changed since the last one."""
        self.rejected, self.turns = "", None
        if monotonic - self.anchor_read_at > ANCHOR_SECONDS:
            self.anchor = None

    def take_in(self, cache: Cache, batch: BatchView) -> None:
        """Count what is news: of the runs under way, those that ended or vanished; and those that turned up."""
        for name in self.census.active_names():
            run = cache.run(batch.namespace, name)
            if run is None or run.owner is None or run.owner.uid != batch.uid:
                self.census.miss((name,))
            else:
                self.census.see(run)
        for run in cache.unfinished_runs_of(batch.uid):
            self.census.see(run)


class BatchMemories:
    """By key: a batch that comes back under the same name with a new UID starts with none."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._memories: dict[Key, BatchMemory] = {}

    def of(self, key: Key, batch: BatchView) -> BatchMemory:
        """What is known of that batch. Raises pydantic.ValidationError when its spec cannot be parsed."""
        memory = self._memories.get(key)
        if memory is None or memory.uid != batch.uid:
            spec = RunBatchSpec.model_validate(batch.spec)
            memory = BatchMemory(batch.uid, batch.generation, spec, Census(batch, items_of(spec)))
            for run in self._cache.runs_of(batch.uid):
                memory.census.see(run)
            self._memories[key] = memory
        elif memory.generation != batch.generation:
            memory.spec, memory.generation = RunBatchSpec.model_validate(batch.spec), batch.generation
        return memory

    def forget(self, key: Key) -> None:
        """The batch is finished or gone."""
        self._memories.pop(key, None)
