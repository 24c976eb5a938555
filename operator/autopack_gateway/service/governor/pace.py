"""How fast requests go to a provider that bounds their rate: pure.

When a request is refused, the provider's allowance was used up as it was sent. So the number of requests that went out
between two such moments, by the time between them, is the provider's rate; a little more than that is tried, and more
the longer nothing was refused. What was refilled during a pause may go out at once afterwards, as far as the provider
turns out to hold so much.
"""

from __future__ import annotations

from collections import deque

_MORE = 1.02
_GROWTH = 0.005
_SLOWER = 0.9
_LESS_HELD = 0.8
_HELD = 64.0
_REMEMBERED = 100_000


class Pace:
    """Times are seconds on a clock that goes forward."""

    def __init__(self) -> None:
        self._rate: float | None = None
        self._empty_at: float | None = None
        self._sends: deque[float] = deque(maxlen=_REMEMBERED)
        self._held = _HELD
        self._caught_up_at = float("-inf")
        self._next = float("-inf")

    def refused(self, sent: float) -> None:
        """Note that the allowance was used up when a request was sent. Not for others that were under way with it."""
        taken = sum(at < sent for at in self._sends)
        if self._empty_at is not None and not taken:
            return
        if self._empty_at is not None and sent > self._empty_at:
            measured = taken / (sent - self._empty_at)
            if self._rate is not None and sent <= self._caught_up_at:
                # It does not hold as much at once; what ran over meanwhile says nothing about its rate.
                self._held = max(1.0, min(self._held, taken) * _LESS_HELD)
                measured = max(measured, self._rate * _SLOWER)
            self._rate = measured
        # From then on it is refilled.
        self._empty_at = self._next = sent
        self._sends.clear()

    def ready_at(self) -> float:
        """Return when the next request may go out."""
        return self._next if self._rate is not None else float("-inf")

    def sent(self, now: float) -> None:
        """Note that one goes out."""
        self._sends.append(now)
        if self._rate is None or self._empty_at is None:
            return
        rate = self._rate * (_MORE + _GROWTH * (now - self._empty_at) ** 2)
        if now - self._next > 1 / rate:
            self._caught_up_at = now
        self._next = max(self._next, now - self._held / rate) + 1 / rate
