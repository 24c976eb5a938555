"""What a run's pod may use of the gateway, as follows from what is stored now."""

from __future__ import annotations

from datetime import datetime

from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.spending import windows
from autopack_operator.domain.spending.bounds import bounds_of
from autopack_operator.domain.spending.views import Allowed, Grant
from autopack_operator.domain.times import seconds_between
from autopack_operator.domain.views import BatchView, RunView


def grant_of(
    run: RunView,
    spec: AutopackRunSpec,
    batch: BatchView | None,
    profile: RunProfileSpec,
    token_cap: int | None,
    now: datetime,
) -> Grant | None:
    """The grant of the run's present attempt, its pod still to be named; None where the profile has no provider."""
    if not profile.providers:
        return None
    priority = batch.spec.get("priority") if batch is not None else None
    return Grant(
        run_uid=run.uid,
        run_name=run.name,
        attempt=run.status.attempt,
        pod_uid="",
        batch=batch.uid if batch is not None else None,
        providers=tuple(Allowed(provider.name, tuple(provider.models)) for provider in profile.providers),
        bounds=bounds_of(run, spec, batch, profile, token_cap, now),
        priority=priority if isinstance(priority, int) else 0,
    )


def seconds_left(profile: RunProfileSpec | None, now: datetime) -> float | None:
    """Seconds until the profile's budget is that of another window; None when there is none."""
    limit = profile.budget if profile is not None else None
    if limit is None:
        return None
    return max(1.0, -seconds_between(windows.end_of(limit.window, limit.timezone, now).isoformat(), now))
