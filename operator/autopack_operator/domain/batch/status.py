"""The status of a batch: counters and index ranges, whatever its size."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from autopack.errors import printable
from autopack.measures import duration
from autopack.phases import TERMINAL_PHASES, Phase
from autopack_operator.domain import usage
from autopack_operator.domain.api.status import Outcome, RunBatchStatus
from autopack_operator.domain.batch.world import BatchWorld
from autopack_operator.domain.conditions import MAX_MESSAGE, ConditionType, with_condition
from autopack_operator.domain.times import parse, rfc3339
from autopack_operator.domain.views import AnchorVerdict, BatchView


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told about the batch as a whole."""

    phase: str
    reason: str
    message: str
    outcome: Outcome | None = None


def effective_workers(world: BatchWorld) -> int | None:
    """min(spec.workers, the anchor's max_concurrent_runs); None before the anchor is read."""
    return min(world.spec.workers, world.known.anchor.max_concurrent_runs) if world.known.anchor is not None else None


def status_of(batch: BatchView, world: BatchWorld, telling: Telling, now: datetime) -> RunBatchStatus:
    """The status with these counters and that telling."""
    counted, before = world.known.census, batch.status
    started_at = before.started_at or (rfc3339(now) if counted.started or counted.active else None)
    ended = telling.phase in TERMINAL_PHASES
    workers = effective_workers(world)
    status = RunBatchStatus(
        observed_generation=batch.generation,
        phase=telling.phase,
        reason=telling.reason,
        message=telling.message,
        total=counted.total,
        pending=counted.pending,
        active=len(counted.active),
        succeeded=len(counted.succeeded),
        failed=len(counted.failed),
        progress=f"{counted.finished}/{counted.total}",
        effective_workers=before.effective_workers if workers is None else workers,
        started=max(counted.started, before.started),
        finished_indexes=counted.ranges(),
        usage=usage.reported(counted.usage, counted.source),
        delivery=world.deliveries,
        outcome=telling.outcome,
        last_start_at=_last_start(world, before),
        started_at=started_at,
        finished_at=rfc3339(now) if ended else None,
        duration=duration((now - parse(started_at)).total_seconds()) if ended and started_at else None,
        conditions=before.conditions,
    )
    if world.known.anchor is not None:
        status = _with(
            status, ConditionType.ANCHOR_APPROVED, world.known.anchor.allowed, world.known.anchor, batch, now
        )
    if ended:
        status = _with(status, ConditionType.SUCCEEDED, telling.phase == Phase.SUCCEEDED, telling, batch, now)
    return status


def unreadable(batch: BatchView, error: str, now: datetime) -> RunBatchStatus:
    """The end of a batch whose spec was stored before a rule existed; nothing of it is counted."""
    return RunBatchStatus(
        observed_generation=batch.generation,
        phase=Phase.REFUSED,
        reason="InvalidSpec",
        message=printable(error, MAX_MESSAGE),
        finished_at=rfc3339(now),
    )


def _last_start(world: BatchWorld, before: RunBatchStatus) -> str | None:
    own = rfc3339(world.known.last_start) if world.known.last_start is not None else ""
    return max(own, world.known.census.last_created, before.last_start_at or "") or None


def _with(
    status: RunBatchStatus,
    kind: ConditionType,
    value: bool,
    why: AnchorVerdict | Telling,
    batch: BatchView,
    now: datetime,
) -> RunBatchStatus:
    conditions = with_condition(
        status.conditions, kind, value, why.reason, why.message, now=now, generation=batch.generation
    )
    return status.model_copy(update={"conditions": conditions})
