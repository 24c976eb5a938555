"""A bound on requests a second, as client-go's QPS and burst."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

BURST_SECONDS = 2.0
"""So many seconds' worth of requests may go out at once after a pause."""

CROWDED_SECONDS = 0.1


class Pace:
    """Requests wait for their slot, first come, first served. `per_second` 0 is no bound."""

    def __init__(self, per_second: float, monotonic: Callable[[], float]) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._monotonic = monotonic
        self._next = float("-inf")

    def wait_seconds(self) -> float:
        """Take the next slot, and say how long it is until then."""
        now = self._monotonic()
        # What was not taken before that has lapsed.
        earliest = now - BURST_SECONDS + self._interval
        self._next = max(self._next + self._interval, earliest)
        return max(0.0, self._next - now)

    async def slot(self) -> None:
        """Return when the caller may send."""
        if self._interval and (seconds := self.wait_seconds()) > 0:
            await asyncio.sleep(seconds)

    def crowded(self) -> bool:
        """Whether who asks now would wait for more than a moment."""
        return self._next + self._interval - self._monotonic() > CROWDED_SECONDS

    def spare_in_seconds(self) -> float:
        """How long it is until a slot lapses, if nobody takes one before."""
        return max(0.0, self._next + BURST_SECONDS - self._monotonic())

    async def spare_slot(self) -> None:
        """Return with a slot that would have lapsed, so that ordinary ones come no more than one slot later for it."""
        while (seconds := self.spare_in_seconds()) > 0:
            await asyncio.sleep(seconds)
        self.wait_seconds()
