"""What each key asked for, and what it was told."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from tests.doubles.models.script import Usage
from tests.doubles.models.troubles import TokenBucket, Troubles


@dataclass
class Account:
    """Counts of one key."""

    requests: int = 0
    """All that came with this key, refused ones too."""
    answered: int = 0
    limited: int = 0
    overloaded: int = 0
    failed: int = 0
    streams: int = 0
    cut: int = 0
    input: int = 0
    """Tokens, cached ones included."""
    output: int = 0
    cached: int = 0
    bucket: TokenBucket | None = field(default=None, repr=False)

    def allow(self, troubles: Troubles) -> float:
        """Count a request against the rate limit; returns 0, or the seconds to wait."""
        if not troubles.requests_per_minute:
            return 0
        now = time.monotonic()
        if self.bucket is None:
            self.bucket = TokenBucket(troubles.requests_per_minute, troubles.burst, now)
        return self.bucket.take(now)

    def charge(self, usage: Usage) -> None:
        """Count an answer."""
        self.answered += 1
        self.input += usage.input
        self.output += usage.output
        self.cached += usage.cached

    def counts(self) -> dict[str, int]:
        """Return all numbers."""
        return {name: value for name, value in vars(self).items() if name != "bucket"}
