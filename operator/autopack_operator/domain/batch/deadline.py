"""spec.activeDeadlineSeconds: counted from the start of the first run, whether the batch is suspended or not."""

from __future__ import annotations

from datetime import datetime

from autopack.phases import Phase
from autopack_operator.domain.api.status import Outcome
from autopack_operator.domain.times import seconds_between

REASON = "DeadlineExceeded"


def seconds_left(limit: int | None, started_at: str | None, now: datetime) -> float | None:
    """Seconds until the deadline (0 when it has passed); None when there is none, or it is not counted yet."""
    if limit is None or started_at is None:
        return None
    return max(0.0, limit - seconds_between(started_at, now))


def exceeded(limit: int | None, started_at: str | None, now: datetime) -> Outcome | None:
    """The end of the batch, once its deadline has passed."""
    if seconds_left(limit, started_at, now) != 0:
        return None
    return Outcome(
        phase=Phase.FAILED, reason=REASON, message=f"the batch took longer than spec.activeDeadlineSeconds {limit}"
    )
