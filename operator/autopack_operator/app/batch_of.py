"""The batch that a run belongs to."""

from __future__ import annotations

from autopack_operator.cache import Cache
from autopack_operator.domain.keys import Kind
from autopack_operator.domain.views import BatchView, RunView


def batch_of(cache: Cache, run: RunView) -> BatchView | None:
    """The run's batch, when the owner reference is true: a forged one names no living batch of that UID."""
    if run.owner is None or run.owner.kind != Kind.BATCH:
        return None
    batch = cache.batches.get(run.namespace, run.owner.name)
    return batch if batch is not None and batch.uid == run.owner.uid else None
