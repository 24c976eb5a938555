"""Lets runs of a profile with maxConcurrentRuns start, so many at a time, whoever asks: batches and single runs.

What is under way is read from the cache. In memory there is only who waits, and who was let in and is not under way
yet; both are learnt again when everybody asks again after a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from autopack_operator.app.batch_of import batch_of
from autopack_operator.cache import Cache
from autopack_operator.domain.keys import Key, Kind
from autopack_operator.domain.times import parse
from autopack_operator.domain.turns import Waiter, next_turns, occupies, profile_of
from autopack_operator.domain.views import BatchView, RunView
from autopack_operator.ports.clock import Clock

HOLD_SECONDS = 60.0
"""A place that was given and is neither taken nor asked for again is free after this time. Longer than any request
takes: the creation of a run whose answer was lost may still come through.
"""


class Place(NamedTuple):
    """A profile of a namespace."""

    namespace: str
    profile: str


class Turnstile:
    """Not thread-safe: everything happens on one event loop, of the one leader."""

    def __init__(self, cache: Cache, clock: Clock, enqueue: Callable[[Key], None]) -> None:
        self._cache, self._clock, self._enqueue = cache, clock, enqueue
        self._waiting: dict[Place, dict[Key, Waiter]] = {}
        self._let_in: dict[Place, dict[str, float]] = {}
        """Names of runs -> until when their place is kept, on the monotonic clock."""
        self._served: dict[Key, float] = {}

    def ask_for_run(self, run: RunView) -> bool:
        """Whether the run may start its next attempt now; else it waits, and is called when it is its turn."""
        place, key = Place(run.namespace, profile_of(run.spec)), Key(Kind.RUN, run.namespace, run.name)
        if self._limit(place) is None or occupies(run) or self._is_let_in(place, run.name):
            self.withdraw(key)
            return True
        batch = batch_of(self._cache, run)
        priority = _priority(batch) if batch is not None else 0
        waiter = Waiter(key, priority, parse(run.created_at).timestamp())
        return self._ask(place, waiter, (run.name,)) == 1

    def ask_for_batch(self, batch: BatchView, profile: str, names: Sequence[str]) -> int:
        """How many of these runs, in this order, may be created now; the batch is called when it is its turn again."""
        place, key = Place(batch.namespace, profile), Key(Kind.BATCH, batch.namespace, batch.name)
        if self._limit(place) is None:
            self.withdraw(key)
            return len(names)
        stored = parse(batch.status.last_start_at or batch.created_at).timestamp()
        since = max(stored, self._served.get(key, 0.0))
        granted = self._ask(place, Waiter(key, _priority(batch), since, len(names)), names)
        if granted:
            self._served[key] = self._clock.now().timestamp()
        return granted

    def withdraw(self, key: Key) -> None:
        """It does not want to start anything now."""
        for place in list(self._waiting):
            if self._waiting[place].pop(key, None) is not None:
                self._call(place)
            if not self._waiting[place]:
                del self._waiting[place]

    def not_made(self, namespace: str, name: str) -> None:
        """A run that was let in was not created, or is gone: its place is free."""
        for place, names in self._let_in.items():
            if place.namespace == namespace and names.pop(name, None) is not None:
                self._call(place)

    def left(self, key: Key) -> None:
        """The run or batch is finished, suspended or gone."""
        self.withdraw(key)
        self._served.pop(key, None)
        if key.kind is Kind.RUN:
            self.not_made(key.namespace, key.name)
        for place in self._waiting:
            if place.namespace == key.namespace:
                self._call(place)

    async def reconcile(self, key: Key) -> float | None:
        """Call those whose turn it is. The key is that of a RunProfile, which may have changed."""
        place = Place(key.namespace, key.name)
        waiting = self._waiting.get(place)
        if not waiting:
            return None
        limit = self._limit(place)
        free = self._free(place, limit) if limit is not None else sum(waiter.wanted for waiter in waiting.values())
        for called in next_turns(waiting.values(), free):
            self._enqueue(called)
        kept = self._let_in.get(place)
        return max(0.1, min(kept.values()) - self._clock.monotonic()) if kept else None

    def _call(self, place: Place) -> None:
        if self._waiting.get(place):
            self._enqueue(Key(Kind.PROFILE, place.namespace, place.profile))

    def _ask(self, place: Place, waiter: Waiter, names: Sequence[str]) -> int:
        waiting = self._waiting.setdefault(place, {})
        waiting[waiter.key] = waiter
        limit = self._limit(place) or 0
        # A name that was let in before (the answer to its creation was lost) has its place already.
        new = [name for name in names if not self._is_let_in(place, name)]
        turns = next_turns(waiting.values(), self._free(place, limit)).count(waiter.key)
        granted = len(names) - len(new) + min(turns, len(new))
        kept = self._let_in.setdefault(place, {})
        for name in names[:granted]:
            kept[name] = self._clock.monotonic() + HOLD_SECONDS
        if granted == len(names):
            del waiting[waiter.key]
        return granted

    def _is_let_in(self, place: Place, name: str) -> bool:
        kept = self._let_in.get(place, {})
        if kept.get(name, 0.0) <= self._clock.monotonic():
            return False
        kept[name] = self._clock.monotonic() + HOLD_SECONDS
        return True

    def _free(self, place: Place, limit: int) -> int:
        """Places that nobody has. Those who were let in count until they are seen to be under way, and then as such."""
        kept = self._let_in.get(place, {})
        for name in [name for name, until in kept.items() if until <= self._clock.monotonic()]:
            del kept[name]
        under_way = self._cache.under_way(place.namespace, place.profile)
        for name in [name for name in kept if (place.namespace, name) in under_way]:
            del kept[name]
        return limit - len(under_way) - len(kept)

    def _limit(self, place: Place) -> int | None:
        profile = self._cache.profiles.get(*place)
        limit = profile.spec.get("maxConcurrentRuns") if profile is not None else None
        return limit if isinstance(limit, int) else None


def _priority(batch: BatchView) -> int:
    priority = batch.spec.get("priority")
    return priority if isinstance(priority, int) else 0
