"""Counts the runs of a batch: by index, from the children that exist and from what the status already holds.

A child may be gone (deleted by its TTL, or by a person) after it was counted: the status remembers it by
index range.
"""

from __future__ import annotations

from dataclasses import dataclass

from autopack_operator.domain import indexes, naming
from autopack_operator.domain.api.batch import BatchItem
from autopack_operator.domain.batch.world import BatchWorld
from autopack_operator.domain.views import BatchView


@dataclass(frozen=True, slots=True)
class Census:
    """Indexes by state; every index of the batch is in exactly one of them."""

    succeeded: frozenset[int]
    failed: frozenset[int]
    active: frozenset[int]
    missing: tuple[tuple[int, BatchItem], ...]
    """Created once, finished never, and not in the cache: to be looked up."""
    startable: tuple[tuple[int, BatchItem], ...]
    """Never created, in order."""

    @property
    def started(self) -> int:
        """How many runs, from the first on, were created without a gap. An index above a gap (left by a creation that
        failed) does not count: what is below `started` and nowhere to be found is taken for deleted.
        """
        first = min((index for index, _ in self.startable), default=None)
        return len(self.succeeded) + len(self.failed) + len(self.active) + len(self.missing) if first is None else first


def census(batch: BatchView, world: BatchWorld) -> Census:
    """Sort every index of the batch into its state."""
    succeeded = indexes.parse(batch.status.finished_indexes.succeeded)
    failed = indexes.parse(batch.status.finished_indexes.failed)
    active: set[int] = set()
    missing: list[tuple[int, BatchItem]] = []
    startable: list[tuple[int, BatchItem]] = []
    for index, item in enumerate(world.spec.runs):
        if index in succeeded or index in failed:
            continue
        name = naming.child_name(batch.name, item.id)
        child = world.children.get(name)
        if child is not None:
            (succeeded if child.status.phase == "Succeeded" else failed if child.terminal else active).add(index)
        elif name in world.lost or name in world.taken:
            failed.add(index)
        elif index < batch.status.started:
            missing.append((index, item))
        else:
            startable.append((index, item))
    return Census(frozenset(succeeded), frozenset(failed), frozenset(active), tuple(missing), tuple(startable))
