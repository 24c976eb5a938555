"""spec.prepareTimeoutSeconds: how long what an attempt begins with may be out of reach.

It is counted from the first failure, which the condition Prepared keeps; a suspension stops this clock.
"""

from __future__ import annotations

from datetime import datetime

from autopack.measures import duration
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.conditions import ConditionType, find
from autopack_operator.domain.run.verdict import Verdict, infrastructure
from autopack_operator.domain.times import seconds_between
from autopack_operator.domain.views import RunView, VolumeFailure

REASON = "PrepareTimeout"


def lost(run: RunView, spec: AutopackRunSpec, failure: VolumeFailure, now: datetime) -> Verdict | None:
    """The end of an attempt that cannot be prepared, with the last of the reasons; None while there is time."""
    unprepared = find(run.status.conditions, ConditionType.PREPARED)
    if unprepared is None or unprepared.status != "False":
        return None
    if seconds_between(unprepared.last_transition_time, now) < spec.prepare_timeout_seconds:
        return None
    allowed = duration(spec.prepare_timeout_seconds)
    message = f"not prepared within spec.prepareTimeoutSeconds, {allowed}: {failure.reason}: {failure.message}"
    return infrastructure(REASON, message)
