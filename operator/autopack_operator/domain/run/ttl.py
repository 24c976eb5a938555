"""When a finished AutopackRun object is deleted. Its files stay: cleanup of the volume is another policy."""

from __future__ import annotations

from datetime import datetime

from autopack_operator.domain.api.run import TtlSeconds
from autopack_operator.domain.times import seconds_between


def seconds_left(ttl: TtlSeconds, phase: str, finished_at: str | None, now: datetime) -> float | None:
    """Seconds until deletion (0 when due); None when the object is kept for ever."""
    limit = ttl.succeeded if phase == "Succeeded" else ttl.failed
    if limit is None or finished_at is None:
        return None
    return max(0.0, limit - seconds_between(finished_at, now))
