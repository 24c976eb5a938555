"""decide(batch, world, now) -> the one next step: keep `workers` runs under way until all are finished, and count.

A run is created when a slot is free, never earlier: existing and being started are the same thing, so the number of
unfinished children is the number of busy workers at every instant, whatever the operator missed in between.
"""

from __future__ import annotations

from datetime import datetime

from autopack.errors import printable
from autopack_operator.domain import indexes, naming
from autopack_operator.domain.api.status import Indexes, RunBatchStatus
from autopack_operator.domain.batch.census import Census, census
from autopack_operator.domain.batch.world import BatchStep, BatchWorld, CreateRuns, LookUpRuns, WriteBatchStatus
from autopack_operator.domain.conditions import MAX_MESSAGE, ConditionType, with_condition
from autopack_operator.domain.run.world import ReadAnchor, Wait
from autopack_operator.domain.times import human, parse, rfc3339
from autopack_operator.domain.views import AnchorVerdict, BatchView

WRITE_INTERVAL_SECONDS = 1.0
"""Counters are written at most this often; the change of a phase is written at once."""

REJECTED_SECONDS = 30.0
"""Wait before the API server is asked again for a run that it rejected: a quota may have room by then."""

CREATE_AT_ONCE = 50
"""Runs created in one step, so that one large batch does not hold a reconcile worker for long."""


def decide(batch: BatchView, world: BatchWorld, now: datetime) -> BatchStep:
    """The next step for this batch. Pure."""
    if batch.deleting or batch.terminal:
        return Wait()
    if world.anchor is None:
        return ReadAnchor()
    counted = census(batch, world)
    if counted.missing:
        return LookUpRuns(tuple(naming.child_name(batch.name, item.id) for _, item in counted.missing))
    if not world.anchor.allowed and not counted.active:
        return WriteBatchStatus(_refused(batch, world, world.anchor, counted, now))
    workers = effective_workers(world)
    free = _free_slots(world, counted, workers)
    if free > 0 and counted.startable and not world.rejected:
        return CreateRuns(counted.startable[: min(free, CREATE_AT_ONCE)])
    return _record(batch, world, counted, workers, now)


def effective_workers(world: BatchWorld) -> int:
    """min(spec.workers, the anchor's max_concurrent_runs)."""
    return min(world.spec.workers, world.anchor.max_concurrent_runs) if world.anchor is not None else 0


def _free_slots(world: BatchWorld, counted: Census, workers: int) -> int:
    if world.spec.suspend or world.spec.cancel:
        return 0
    return workers - len(counted.active)


def _record(batch: BatchView, world: BatchWorld, counted: Census, workers: int, now: datetime) -> BatchStep:
    status = _status(batch, world, counted, workers, now)
    if status == batch.status:
        return Wait(REJECTED_SECONDS if world.rejected else None)
    if status.phase == batch.status.phase and world.quiet_for < WRITE_INTERVAL_SECONDS:
        return Wait(WRITE_INTERVAL_SECONDS - world.quiet_for)
    return WriteBatchStatus(status)


def _status(batch: BatchView, world: BatchWorld, counted: Census, workers: int, now: datetime) -> RunBatchStatus:
    total = len(world.spec.runs)
    phase, reason, message = _phase(world, counted, total)
    started_at = batch.status.started_at or (rfc3339(now) if counted.started else None)
    ended = phase in {"Succeeded", "Failed", "Canceled"}
    conditions = batch.status.conditions
    if world.anchor is not None:
        conditions = with_condition(
            conditions,
            ConditionType.ANCHOR_APPROVED,
            world.anchor.allowed,
            world.anchor.reason,
            world.anchor.message,
            now=now,
            generation=batch.generation,
        )
    if ended:
        conditions = with_condition(
            conditions,
            ConditionType.SUCCEEDED,
            phase == "Succeeded",
            reason,
            message,
            now=now,
            generation=batch.generation,
        )
    return RunBatchStatus(
        observed_generation=batch.generation,
        phase=phase,
        reason=reason,
        message=message,
        total=total,
        pending=len(counted.startable),
        active=len(counted.active),
        succeeded=len(counted.succeeded),
        failed=len(counted.failed),
        progress=f"{len(counted.succeeded) + len(counted.failed)}/{total}",
        effective_workers=workers,
        started=max(counted.started, batch.status.started),
        finished_indexes=Indexes(succeeded=indexes.render(counted.succeeded), failed=indexes.render(counted.failed)),
        started_at=started_at,
        finished_at=rfc3339(now) if ended else None,
        duration=human((now - parse(started_at)).total_seconds()) if ended and started_at else None,
        conditions=conditions,
    )


def _phase(world: BatchWorld, counted: Census, total: int) -> tuple[str, str, str]:
    finished = len(counted.succeeded) + len(counted.failed)
    if world.spec.cancel:
        if counted.active:
            return "Finishing", "Canceling", f"{len(counted.active)} runs are being canceled"
        return "Canceled", "Canceled", f"{finished} of {total} runs had finished"
    if finished == total:
        if counted.failed:
            return "Failed", "RunsFailed", f"{len(counted.failed)} of {total} runs did not succeed{_taken(world)}"
        return "Succeeded", "Completed", f"all {total} runs succeeded"
    if world.spec.suspend:
        return "Suspended", "Suspended", f"{len(counted.active)} runs under way go on; no further ones start"
    if world.anchor is not None and not world.anchor.allowed:
        return "Running", world.anchor.reason, f"no further runs start: {world.anchor.message}"
    if world.rejected:
        return "Running", "RunRejected", printable(world.rejected, MAX_MESSAGE)
    return "Running", "RunsActive", ""


def _taken(world: BatchWorld) -> str:
    """Says why a run could not even be created; a few names are enough to find the cause."""
    if not world.taken:
        return ""
    return f"; not this batch's own, so never touched: AutopackRun {', '.join(sorted(world.taken)[:3])}"


def _refused(
    batch: BatchView, world: BatchWorld, anchor: AnchorVerdict, counted: Census, now: datetime
) -> RunBatchStatus:
    """The gate said no and nothing runs: terminal. What had finished before is still counted."""
    status = _status(batch, world, counted, 0, now)
    conditions = with_condition(
        status.conditions,
        ConditionType.SUCCEEDED,
        False,
        anchor.reason,
        anchor.message,
        now=now,
        generation=batch.generation,
    )
    return status.model_copy(
        update={
            "phase": "Refused",
            "reason": anchor.reason,
            "message": anchor.message,
            "finished_at": rfc3339(now),
            "conditions": conditions,
        }
    )
