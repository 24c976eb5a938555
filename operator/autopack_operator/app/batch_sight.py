"""Observes batches."""

from __future__ import annotations

from datetime import datetime

from autopack_operator.cache import Cache
from autopack_operator.domain.batch.memory import BatchMemory
from autopack_operator.domain.batch.world import BatchWorld
from autopack_operator.domain.delivery.tally import counted
from autopack_operator.domain.views import BatchView
from autopack_operator.ports.clock import Clock


class BatchSight:
    """Implements reconciler.Sight."""

    def __init__(self, cache: Cache, clock: Clock) -> None:
        self._cache, self._clock = cache, clock

    def find(self, namespace: str, name: str) -> BatchView | None:
        """The batch, if known."""
        return self._cache.batches.get(namespace, name)

    def first(self, batch: BatchView) -> BatchMemory:
        """What its status tells, and all of its runs."""
        memory = BatchMemory.of(batch)
        for run in self._cache.runs_of(batch.uid):
            memory.census.see(run)
        return memory

    def observe(self, batch: BatchView, memory: BatchMemory, now: datetime) -> BatchWorld:  # noqa: ARG002 - as of runs
        """Count what is news: of the runs under way, those that ended or vanished; and those that turned up."""
        census = memory.census
        for name in census.active_names():
            run = self._cache.runs.get(batch.namespace, name)
            if run is None or run.owner is None or run.owner.uid != batch.uid:
                census.miss((name,))
            else:
                census.see(run)
        for run in self._cache.unfinished_runs_of(batch.uid):
            census.see(run)
        spec, spec_error = memory.spec_of(batch)
        deliveries = batch.status.delivery
        if spec.template.deliver is not None or deliveries is not None:
            deliveries = counted(deliveries, self._cache.runs_of(batch.uid))
        return BatchWorld(spec, memory, spec_error, self._clock.monotonic() - memory.written_at, deliveries)
