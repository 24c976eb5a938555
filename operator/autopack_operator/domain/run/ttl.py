"""When a finished AutopackRun object is deleted. Its files stay: cleanup of the volume is another policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from autopack.phases import Phase
from autopack_operator.domain.api.run import TtlSeconds
from autopack_operator.domain.delivery.state import under_way
from autopack_operator.domain.run.world import Wait
from autopack_operator.domain.times import seconds_between
from autopack_operator.domain.views import BatchView, RunView

DELIVERY_SECONDS = 86_400.0
"""A delivery that is under way keeps its run, and its batch, for so long beyond their time to live."""


def seconds_left(ttl: TtlSeconds, phase: str, finished_at: str | None, now: datetime) -> float | None:
    """Seconds until deletion (0 when due); None when the object is kept forever."""
    limit = ttl.succeeded if phase == Phase.SUCCEEDED else ttl.failed
    if limit is None or finished_at is None:
        return None
    return max(0.0, limit - seconds_between(finished_at, now))


@dataclass(frozen=True, slots=True)
class Delete:
    """The time to live is over."""


def after_the_end(view: RunView | BatchView, now: datetime) -> Wait | Delete:
    """The next step for what is in a terminal phase, which never changes: only its time to live is left."""
    left = seconds_left(limits_of(view.spec), view.status.phase, view.status.finished_at, now)
    if left == 0 and _is_being_delivered(view):
        held = DELIVERY_SECONDS - _overdue(view, now)
        return Delete() if held <= 0 else Wait(held)
    return Delete() if left == 0 else Wait(left)


def _is_being_delivered(view: RunView | BatchView) -> bool:
    if isinstance(view, RunView):
        return under_way(view)
    deliveries = view.status.delivery
    return deliveries is not None and deliveries.pending + deliveries.awaiting_approval > 0


def _overdue(view: RunView | BatchView, now: datetime) -> float:
    """Seconds since the time to live was over."""
    limits = limits_of(view.spec)
    limit = limits.succeeded if view.status.phase == Phase.SUCCEEDED else limits.failed
    return seconds_between(view.status.finished_at, now) - (limit or 0) if view.status.finished_at else 0.0


def limits_of(spec: dict[str, Any]) -> TtlSeconds:
    """The limits in a stored spec, the rest of which may be absent, or older than a rule."""
    try:
        return TtlSeconds.model_validate(spec.get("ttlSecondsAfterFinished") or {})
    except ValidationError:
        # Kept rather than deleted by a guess.
        return TtlSeconds()
