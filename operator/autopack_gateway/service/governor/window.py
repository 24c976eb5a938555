"""How many requests a provider takes at once: additive increase, multiplicative decrease. Pure.

Times are seconds on a clock that goes forward.
"""

from __future__ import annotations

FIRST = 16
_LESS = 0.7


class Window:
    """Grows by one for as many answers as it is wide, shrinks when the provider says that it is too much.

    Until that is said for the first time it grows by one for each answer.

    `paused_until`: nothing goes out before, because the provider said how long to wait.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._width = float(min(most, FIRST))
        self._shrunk_at = float("-inf")
        self.paused_until = float("-inf")

    @property
    def width(self) -> int:
        """How many requests may be under way."""
        return int(self._width)

    def answered(self) -> None:
        """Note an answer."""
        never_refused = self._shrunk_at == float("-inf")
        self._width = min(float(self._most), self._width + (1 if never_refused else 1 / self._width))

    def refused(self, sent: float, now: float, wait: float) -> bool:
        """Note a refusal of a request that was sent then, and how long the provider says to wait (0: it does not).

        Requests that were under way together are refused together: that is one sign, not many. Returns whether this
        is a new one.
        """
        self.pause(now, wait)
        if sent <= self._shrunk_at:
            return False
        self._width = max(1.0, self._width * _LESS)
        self._shrunk_at = now
        return True

    def pause(self, now: float, wait: float) -> None:
        """Send nothing for so long."""
        self.paused_until = max(self.paused_until, now + wait)
