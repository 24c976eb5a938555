"""Work queue with the semantics of client-go's: a key is worked on by one worker at a time, additions while it is in
work are remembered once, and failures come back with a jittered, growing delay of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)

BASE_DELAY_SECONDS = 0.05
MAX_DELAY_SECONDS = 60.0


class QueueClosedError(Exception):
    """The queue hands out no more keys."""


class WorkQueue(Generic[KeyT]):
    """Keys to reconcile. Not thread-safe: everything happens on one event loop."""

    def __init__(self, monotonic: Callable[[], float], random_fraction: Callable[[], float] = random.random) -> None:
        self._monotonic = monotonic
        self._random = random_fraction
        self._ready: deque[KeyT] = deque()
        self._dirty: dict[KeyT, float] = {}
        self._processing: dict[KeyT, float] = {}
        self._failures: dict[KeyT, int] = {}
        self._delayed: list[tuple[float, int, KeyT]] = []
        self._due: dict[KeyT, float] = {}
        self._sequence = itertools.count()
        self._wake = asyncio.Event()
        self.closed = False
        """Nothing more is handed out."""

    def add(self, key: KeyT) -> None:
        """Ask for a reconcile. A key that is already waiting stays where it is."""
        if self.closed or key in self._dirty:
            return
        self._dirty[key] = self._monotonic()
        if key not in self._processing:
            self._ready.append(key)
            self._wake.set()

    def add_after(self, key: KeyT, seconds: float) -> None:
        """Ask for a reconcile later. Of several requests for a key the earliest counts."""
        if seconds <= 0:
            self.add(key)
            return
        due = self._monotonic() + seconds
        if self._due.get(key, float("inf")) <= due:
            return
        self._due[key] = due
        heapq.heappush(self._delayed, (due, next(self._sequence), key))
        self._wake.set()

    def retry(self, key: KeyT) -> float:
        """Ask again after a failure: full jitter over a delay that doubles. Returns the delay."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        ceiling = min(MAX_DELAY_SECONDS, BASE_DELAY_SECONDS * 2.0 ** min(failures, 32))
        delay = ceiling * (0.5 + 0.5 * self._random())
        self.add_after(key, delay)
        return delay

    def forget(self, key: KeyT) -> None:
        """The key was reconciled: its next failure starts with a short delay again."""
        self._failures.pop(key, None)

    async def get(self) -> KeyT:
        """The next key; it belongs to the caller until `done`. Raises QueueClosedError after `close`."""
        while True:
            self._release_due()
            if self._ready:
                key = self._ready.popleft()
                self._processing[key] = self._dirty.pop(key)
                return key
            if self.closed:
                raise QueueClosedError
            self._wake.clear()
            timeout = self._delayed[0][0] - self._monotonic() if self._delayed else None
            # Not wait_for: before Python 3.12 it swallows a cancellation that comes together with the event.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._wake.wait()

    def done(self, key: KeyT) -> None:
        """The caller is finished with the key; additions that came meanwhile are now handed out."""
        del self._processing[key]
        if key in self._dirty and not self.closed:
            self._ready.append(key)
            self._wake.set()

    def close(self) -> None:
        """Hand out nothing more."""
        self.closed = True
        self._ready.clear()
        self._delayed.clear()
        self._wake.set()

    def depth(self) -> int:
        """Keys that could be handed out now."""
        return len(self._ready)

    def oldest_seconds(self) -> float:
        """Age of the oldest key that waits or is in work: a stuck worker shows here."""
        times = [*self._dirty.values(), *self._processing.values()]
        return self._monotonic() - min(times) if times else 0.0

    def _release_due(self) -> None:
        now = self._monotonic()
        while self._delayed and self._delayed[0][0] <= now:
            due, _, key = heapq.heappop(self._delayed)
            if self._due.get(key) == due:
                del self._due[key]
                self.add(key)
