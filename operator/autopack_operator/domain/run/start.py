"""From a run that waits to a claimed attempt."""

from __future__ import annotations

from datetime import datetime

from autopack.phases import Phase
from autopack_operator.domain import turns
from autopack_operator.domain.api.status import AutopackRunStatus
from autopack_operator.domain.conditions import ConditionType, is_true
from autopack_operator.domain.run import deadline, metering, patience, profile_policy, transitions
from autopack_operator.domain.run.verdict import Verdict
from autopack_operator.domain.run.world import (
    AcquireLease,
    AskForTurn,
    LookUpProfile,
    Prepare,
    ReadAnchor,
    ReleaseLease,
    Step,
    Wait,
    World,
    WriteStatus,
)
from autopack_operator.domain.times import seconds_between
from autopack_operator.domain.views import Attempt, LeaseConflict, RunView, VolumeFailure

POLL_SECONDS = 0.5
CONFLICT_SECONDS = 5.0
QUIET_SECONDS = 3.0
"""A hold-up shorter than this is not worth a write to the API server."""


def decide(run: RunView, world: World, now: datetime) -> Step:
    """The next step towards the claim of attempt N+1."""
    if world.spec_error:
        return _end(run, world, transitions.finished(run, Verdict(Phase.REFUSED, "InvalidSpec", world.spec_error), now))
    if world.canceled:
        verdict = Verdict(Phase.CANCELED, "Canceled", "canceled before it started")
        return _end(run, world, transitions.finished(run, verdict, now))
    if world.held and run.status.reason == "Suspended" and run.status.active_since is None:
        return Wait()
    if world.held:
        return WriteStatus(transitions.held(run, now))
    if (overdue := deadline.exceeded(run, world.spec, now)) is not None:
        return _end(run, world, transitions.finished(run, overdue, now))
    if run.status.next_attempt_at is not None:
        left = -seconds_between(run.status.next_attempt_at, now)
        if left > 0:
            return Wait(left)
    return (
        _gate(run, world, now)
        or _profile(run, world, now)
        or metering.wait_for_budget(run, world, now)
        or _turn(run, world, now)
        or _prepare(run, world, now)
    )


def _gate(run: RunView, world: World, now: datetime) -> Step | None:
    if is_true(run.status.conditions, ConditionType.ANCHOR_APPROVED):
        return None
    if run.anchor is None and world.batch_unknown:
        # Its anchor is its batch's, which the cache may get to know a moment later than the run.
        return _say(run, Phase.PENDING, "BatchUnknown", "the run's RunBatch is not known", now, CONFLICT_SECONDS)
    if world.known.anchor is None:
        return ReadAnchor()
    if world.known.anchor.allowed:
        return None
    return _end(run, world, transitions.refused_by_anchor(run, world.known.anchor, now))


def _profile(run: RunView, world: World, now: datetime) -> Step | None:
    if profile_policy.unknown(world):
        return LookUpProfile(world.spec.profile_ref.name)
    refusal = profile_policy.refusal(run, world.spec, world.profile, world.profile_error)
    return _end(run, world, transitions.finished(run, refusal, now)) if refusal is not None else None


def _turn(run: RunView, world: World, now: datetime) -> Step | None:
    if world.profile is None or world.profile.max_concurrent_runs is None or world.known.turn:
        return None
    if world.known.turn is None:
        return AskForTurn()
    told = run.status.reason == turns.REASON
    message = turns.message(world.spec.profile_ref.name, world.profile)
    return _say(run, Phase.PENDING, turns.REASON, message, now, None if told else QUIET_SECONDS)


def _prepare(run: RunView, world: World, now: datetime) -> Step:
    number = run.status.attempt + 1
    match world.known.prepared:
        case Attempt() as attempt if attempt.number == number:
            return _claim(run, world, attempt, now)
        case VolumeFailure(transient=True) as failure:
            if (lost := patience.lost(run, world.spec, failure, now)) is not None:
                return _never_started(run, world, lost, now)
            return _tell(run, transitions.unprepared(run, Phase.PENDING, failure, now), now, CONFLICT_SECONDS)
        case VolumeFailure() as failure:
            return _never_started(run, world, Verdict(Phase.FAILED, failure.reason, failure.message), now)
        case str():
            return _say(
                run, Phase.PENDING, "FetchingRepository", "the volume fetches the repository", now, POLL_SECONDS
            )
        case _:
            return Prepare(number, run.status.resumed_from is not None)


def _never_started(run: RunView, world: World, verdict: Verdict, now: datetime) -> Step:
    return _end(run, world, transitions.finished(run, verdict, now, not_committed="the attempt never started"))


def _claim(run: RunView, world: World, attempt: Attempt, now: datetime) -> Step:
    match world.known.lease:
        case int(number) if number == attempt.number:
            return WriteStatus(transitions.claimed(run, world.spec, attempt, world.known.anchor, now))
        case LeaseConflict() as conflict:
            message = f"Lease {conflict.lease} is held by {conflict.holder}"
            return _say(run, Phase.PENDING, "LeaseConflict", message, now, CONFLICT_SECONDS)
        case _:
            return AcquireLease(attempt.number, attempt.workspace)


def _end(run: RunView, world: World, ending: AutopackRunStatus) -> Step:
    """The run ends before its next attempt is claimed. That attempt may hold leases all the same: this process, or one
    before it, may have stopped between taking them and the claim.
    """
    return WriteStatus(ending) if world.known.lease_released else ReleaseLease(run.status.attempt + 1)


def _say(
    run: RunView,
    phase: str,
    reason: str,
    message: str,
    now: datetime,
    again: float | None,
) -> Step:
    return _tell(run, transitions.waiting(run, phase, reason, message, now), now, again)


def _tell(run: RunView, status: AutopackRunStatus, now: datetime, again: float | None) -> Step:
    """Tell the user why nothing happens, once it has lasted long enough to matter."""
    young = seconds_between(run.created_at, now) < QUIET_SECONDS
    if status == run.status or young:
        return Wait(again)
    return WriteStatus(status)
