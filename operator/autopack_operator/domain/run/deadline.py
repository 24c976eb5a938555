"""spec.activeDeadlineSeconds: how long all attempts of a run together may take. A suspension stops this clock."""

from __future__ import annotations

from datetime import datetime

from autopack.measures import duration
from autopack.phases import Phase
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.run.verdict import Verdict
from autopack_operator.domain.run.world import Step, Wait
from autopack_operator.domain.times import seconds_between
from autopack_operator.domain.views import RunView

REASON = "DeadlineExceeded"


def exceeded(run: RunView, spec: AutopackRunSpec, now: datetime) -> Verdict | None:
    """The end of a run whose time is over, whatever retries are left; None while there is time."""
    left = _seconds_left(run, spec, now)
    if left is None or left > 0:
        return None
    allowed = duration(spec.active_deadline_seconds or 0)
    return Verdict(
        Phase.FAILED, REASON, f"the run took longer than spec.activeDeadlineSeconds, {allowed} over all attempts"
    )


def bounded(step: Step, run: RunView, spec: AutopackRunSpec, now: datetime) -> Step:
    """The step; but nothing is waited for beyond the deadline."""
    left = _seconds_left(run, spec, now)
    if not isinstance(step, Wait) or left is None or left <= 0:
        return step
    return Wait(left if step.seconds is None else min(left, step.seconds))


def _seconds_left(run: RunView, spec: AutopackRunSpec, now: datetime) -> float | None:
    since = run.status.active_since
    if spec.active_deadline_seconds is None or since is None:
        return None
    return spec.active_deadline_seconds - seconds_between(since, now)
