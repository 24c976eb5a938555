"""Which run of a batch is in which state. Kept up to date run by run, so that a change costs what changed, not what the
batch has: it is built once from the stored status and all of the batch's runs, then told of every one that is news.

A run may be gone (deleted by its TTL, or by a person) after it was counted: the status remembers it by index range.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from autopack.phases import Phase
from autopack_operator.domain import indexes, naming, usage
from autopack_operator.domain.api.batch import BatchItem
from autopack_operator.domain.api.status import Indexes
from autopack_operator.domain.views import BatchView, RunView

Start = tuple[int, BatchItem]
"""A run that can be started: its index, and what differs from the template."""


class Census:
    """Indexes by state; every index of the batch is in exactly one of the sets, and a finished one stays there."""

    def __init__(self, batch: BatchView, items: tuple[BatchItem, ...]) -> None:
        self.items = items
        self.names = tuple(naming.child_name(batch.name, item.id) for item in items)
        self.succeeded = self._possible(indexes.parse(batch.status.finished_indexes.succeeded))
        self.failed = self._possible(indexes.parse(batch.status.finished_indexes.failed)) - self.succeeded
        self.active: set[int] = set()
        self.missing: set[int] = set()
        """Created once, finished never, and not in the cache: to be looked up."""
        self.taken: set[str] = set()
        """Names that belong to an object that is not this batch's."""
        self.reasons: dict[str, str] = {}
        """Why runs did not succeed -> the first that did so."""
        self.last_created = ""
        """Creation time of the youngest run that was seen."""
        self.usage = usage.numbers(batch.status.usage)
        """What the agents of finished runs used. Each is counted when it is seen to be finished for the first time, and
        the stored status has the sum over those that it names as finished."""
        self.source = batch.status.usage.source if batch.status.usage is not None else ""
        """Who says so."""
        self._unstarted: dict[int, None] = {}
        self._index = {name: index for index, name in enumerate(self.names)}
        self._ranges = (-1, -1, Indexes())
        for index in range(len(items)):
            if index in self.succeeded or index in self.failed:
                continue
            if index < batch.status.started:
                self.missing.add(index)
            else:
                self._unstarted[index] = None

    def _possible(self, found: set[int]) -> set[int]:
        """A status that somebody wrote by hand may name others."""
        return {index for index in found if index < len(self.items)}

    @property
    def total(self) -> int:
        """How many runs the batch has."""
        return len(self.items)

    @property
    def finished(self) -> int:
        """How many of them have come to their end."""
        return len(self.succeeded) + len(self.failed)

    @property
    def pending(self) -> int:
        """How many were never created."""
        return len(self._unstarted)

    @property
    def started(self) -> int:
        """How many runs, from the first on, were created without a gap. An index above a gap (left by a creation that
        failed) does not count: what is below `started` and nowhere to be found is taken for deleted.
        """
        return next(iter(self._unstarted), self.total)

    def startable(self, number: int) -> tuple[Start, ...]:
        """The next ones to create, in order."""
        return tuple((index, self.items[index]) for index in islice(self._unstarted, number))

    def active_names(self) -> list[str]:
        """Runs under way, in order."""
        return [self.names[index] for index in sorted(self.active)]

    def missing_names(self) -> tuple[str, ...]:
        """Runs to look up, in order."""
        return tuple(self.names[index] for index in sorted(self.missing))

    def see(self, run: RunView) -> None:
        """A run of the batch as it is now. One that is not among the items (its owner is forged) is ignored."""
        index = self._index.get(run.name)
        if index is None:
            return
        self.last_created = max(self.last_created, run.created_at)
        if run.terminal and run.status.phase != Phase.SUCCEEDED:
            self.reasons.setdefault(run.status.reason, run.name)
        if index in self.succeeded or index in self.failed:
            return
        self._leave(index)
        ended = self.succeeded if run.status.phase == Phase.SUCCEEDED else self.failed
        (ended if run.terminal else self.active).add(index)
        if run.terminal:
            self.usage = self.usage.plus(usage.numbers(run.status.usage))
            self.source = usage.source_of_sum(self.source, run.status.usage.source if run.status.usage else "")

    def miss(self, names: Iterable[str]) -> None:
        """The cache no longer has these runs, which were under way."""
        for name in names:
            self.active.discard(self._index[name])
            self.missing.add(self._index[name])

    def lose(self, name: str) -> None:
        """A live read found no such run: somebody deleted it."""
        self._leave(self._index[name])
        self.failed.add(self._index[name])

    def take(self, name: str) -> None:
        """The name belongs to somebody else."""
        self.taken.add(name)
        self.lose(name)

    def _leave(self, index: int) -> None:
        self.active.discard(index)
        self.missing.discard(index)
        if index in self._unstarted:
            self._unstarted.pop(index)

    def ranges(self) -> Indexes:
        """The finished runs as index ranges. The sets only grow, so their sizes tell whether they have changed."""
        known = len(self.succeeded), len(self.failed)
        if self._ranges[:2] != known:
            rendered = Indexes(succeeded=indexes.render(self.succeeded), failed=indexes.render(self.failed))
            self._ranges = (*known, rendered)
        return self._ranges[2]
