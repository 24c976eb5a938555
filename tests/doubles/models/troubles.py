"""What goes wrong with a model API on purpose: a rate limit, overload, streams that break off."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Troubles:
    """None of them by default. Each key has a rate and a count of its own."""

    requests_per_minute: float = 0
    """Above it 429 with Retry-After; 0 is no limit."""
    burst: int = 1
    """Requests that may come at once under that limit."""
    overloaded_every: int = 0
    """Every n-th request is told that the service is overloaded; 0 is none."""
    cut_every: int = 0
    """Every n-th stream ends in its middle, without its last events; 0 is none."""
    failed_every: int = 0
    """Every n-th request is answered with 500; 0 is none."""
    silent: bool = False
    """Whether a streamed chat tells its usage only when asked, as OpenAI's does."""


class TokenBucket:
    """Lets `per_minute` requests through, and `burst` at once. Times are seconds on any clock that goes forward."""

    def __init__(self, per_minute: float, burst: int, now: float) -> None:
        self._rate, self._burst = per_minute / 60, float(burst)
        self._tokens, self._at = self._burst, now

    def take(self, now: float) -> float:
        """Take a token and return 0, or return the seconds until there is one."""
        self._tokens, self._at = min(self._burst, self._tokens + (now - self._at) * self._rate), now
        if self._tokens < 1:
            return (1 - self._tokens) / self._rate
        self._tokens -= 1
        return 0


def is_due(every: int, number: int) -> bool:
    """Whether number `number` (from 1) is one of every `every`."""
    return every > 0 and number % every == 0
