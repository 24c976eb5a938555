"""decide(batch, world, now) -> the one next step: keep `workers` runs under way until the end, and count.

A run is created when a slot is free, never earlier: existing and being started are the same thing, so the number of
unfinished children is the number of busy workers at every instant, whatever the operator missed in between.

    ending.py   is the end decided? (success_policy.py, failure_policy.py, deadline.py) Then wait for what is under way
    pacing.py   is it time for the next start?
    status.py   the status that says so
"""

from __future__ import annotations

from datetime import datetime

from autopack.counts import count_of
from autopack.errors import printable
from autopack.phases import Phase
from autopack_operator.domain import turns
from autopack_operator.domain.api.status import Outcome
from autopack_operator.domain.batch import deadline, ending, pacing
from autopack_operator.domain.batch.cancellation import cancels_its_runs
from autopack_operator.domain.batch.status import Telling, effective_workers, status_of, unreadable
from autopack_operator.domain.batch.world import (
    AskForTurns,
    BatchStep,
    BatchWorld,
    CreateRuns,
    LookUpRuns,
    WakeRuns,
    WriteBatchStatus,
)
from autopack_operator.domain.conditions import MAX_MESSAGE
from autopack_operator.domain.run.world import ReadAnchor, Wait
from autopack_operator.domain.views import AnchorVerdict, BatchView

WRITE_INTERVAL_SECONDS = 1.0
"""Counters are written at most this often; the change of a phase is written at once."""

REJECTED_SECONDS = 30.0
"""Wait before the API server is asked again for a run that it rejected: a quota may have room by then."""

CROWDED_SECONDS = 5.0
"""A batch that waits for its turn this long is told so; batches that take turns all the time are not."""

CREATE_AT_ONCE = 50
"""Runs created in one step, so that one large batch does not hold a reconcile worker for long."""


def decide(batch: BatchView, world: BatchWorld, now: datetime) -> BatchStep:
    """The next step for a batch that is neither terminal nor being deleted. Pure."""
    if world.spec_error:
        return WriteBatchStatus(unreadable(batch, world.spec_error, now))
    if cancels_its_runs(batch) and not world.known.runs_told:
        return WakeRuns()
    if names := world.known.census.missing_names():
        return LookUpRuns(names)
    if (outcome := ending.outcome(batch, world, now)) is not None:
        return _end(batch, world, outcome, now)
    if world.known.anchor is None:
        return ReadAnchor()
    if not world.known.anchor.allowed and not world.known.census.active:
        refusal = Telling(Phase.REFUSED, world.known.anchor.reason, world.known.anchor.message)
        return WriteBatchStatus(status_of(batch, world, refusal, now))
    wanted, pause = _wanted(batch, world, now)
    if wanted and world.known.turns is None:
        return AskForTurns(wanted)
    if wanted and world.known.turns:
        return CreateRuns(world.known.census.startable(min(wanted, world.known.turns)))
    left = deadline.seconds_left(world.spec.active_deadline_seconds, batch.status.started_at, now)
    patience = _patience(batch, world) if wanted and not world.known.census.active else None
    telling = _going_on(world, world.known.anchor, crowded=patience == 0)
    return _record(batch, world, telling, now, pause, left, patience or None)


def _end(batch: BatchView, world: BatchWorld, outcome: Outcome, now: datetime) -> BatchStep:
    """First the decision is stored, then the runs under way come to their end, then the phase is final."""
    if world.known.census.active:
        telling = Telling(Phase.FINISHING, outcome.reason, outcome.message, outcome)
        return _record(batch, world, telling, now)
    return WriteBatchStatus(status_of(batch, world, Telling(outcome.phase, outcome.reason, outcome.message), now))


def _wanted(batch: BatchView, world: BatchWorld, now: datetime) -> tuple[int, float | None]:
    """How many runs should start now, and the seconds until the pace lets the next one start, if that is what holds
    it up.
    """
    counted, spec = world.known.census, world.spec
    free = min((effective_workers(world) or 0) - len(counted.active), counted.pending, CREATE_AT_ONCE)
    if free <= 0 or spec.suspend or world.known.rejected:
        return 0, None
    if not pacing.paced(spec):
        return free, None
    index, _ = counted.startable(1)[0]
    last = pacing.last_start(world.known.last_start, batch.status.last_start_at, counted.last_created)
    pause = pacing.seconds_left(spec, batch.uid, index, last, now)
    return (0, pause) if pause > 0 else (1, None)


def _patience(batch: BatchView, world: BatchWorld) -> float:
    """Seconds until a batch none of whose runs may start is told so."""
    return 0.0 if batch.status.reason == turns.REASON else max(0.0, CROWDED_SECONDS - world.quiet_for)


def _record(
    batch: BatchView, world: BatchWorld, telling: Telling, now: datetime, *timers: float | None
) -> WriteBatchStatus | Wait:
    status = status_of(batch, world, telling, now)
    waits = [seconds for seconds in timers if seconds is not None]
    if world.known.rejected:
        waits.append(REJECTED_SECONDS)
    if status == batch.status:
        return Wait(min(waits, default=None))
    if status.phase == batch.status.phase and world.quiet_for < WRITE_INTERVAL_SECONDS:
        return Wait(min([WRITE_INTERVAL_SECONDS - world.quiet_for, *waits]))
    return WriteBatchStatus(status)


def draining(active: int) -> str:
    """What a suspended batch says, with so many runs under way."""
    still = f"{count_of(active, 'run')} {'continues' if active == 1 else 'continue'}; " if active else ""
    return f"{still}no new runs start"


def _going_on(world: BatchWorld, anchor: AnchorVerdict, *, crowded: bool) -> Telling:
    if world.spec.suspend:
        return Telling(Phase.SUSPENDED, "Suspended", draining(len(world.known.census.active)))
    if not anchor.allowed:
        return Telling(Phase.RUNNING, anchor.reason, f"no new runs start: {anchor.message}")
    if world.known.rejected:
        return Telling(Phase.RUNNING, "RunRejected", printable(world.known.rejected, MAX_MESSAGE))
    if crowded:
        profile = world.spec.template.profile_ref.name
        message = f"waits for its turn: RunProfile {profile!r} has maxConcurrentRuns runs under way"
        return Telling(Phase.RUNNING, turns.REASON, message)
    return Telling(Phase.RUNNING, "RunsActive", "")
