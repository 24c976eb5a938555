"""The end of a batch: decided once, stored in status.outcome, and final when no run of it is under way (as
SuccessCriteriaMet and FailureTarget of the Job API).
"""

from __future__ import annotations

from datetime import datetime

from autopack.counts import count_of
from autopack.phases import Phase
from autopack_operator.domain.api.status import Outcome
from autopack_operator.domain.batch import deadline, failure_policy, success_policy
from autopack_operator.domain.batch.world import BatchWorld
from autopack_operator.domain.views import BatchView


def outcome(batch: BatchView, world: BatchWorld, now: datetime) -> Outcome | None:
    """How the batch ends: as was decided before, or as follows from what is true now; None while it goes on."""
    spec, counted = world.spec, world.known.census
    return (
        batch.status.outcome
        or _canceled(world)
        or success_policy.met(spec.success_policy, counted)
        or failure_policy.exceeded(spec.failure_policy, counted)
        or _all_finished(world)
        or deadline.exceeded(spec.active_deadline_seconds, batch.status.started_at, now)
    )


def _canceled(world: BatchWorld) -> Outcome | None:
    if not world.spec.cancel:
        return None
    return Outcome(phase=Phase.CANCELED, reason="Canceled", message="spec.cancel is true")


def _all_finished(world: BatchWorld) -> Outcome | None:
    counted = world.known.census
    if counted.finished < counted.total:
        return None
    if not counted.failed:
        who = "the only run" if counted.total == 1 else f"all {counted.total} runs"
        return Outcome(phase=Phase.SUCCEEDED, reason="Completed", message=f"{who} succeeded")
    message = f"{len(counted.failed)} of {count_of(counted.total, 'run')} did not succeed"
    if counted.taken:
        # Says why a run could not even be created; a few names are enough to find the cause.
        message += f"; not this batch's own, so never touched: AutopackRun {', '.join(sorted(counted.taken)[:3])}"
    return Outcome(phase=Phase.FAILED, reason="RunsFailed", message=message)
