"""From a claimed attempt to a stopped pod."""

from __future__ import annotations

from datetime import datetime

from autopack.phases import Phase
from autopack_operator.domain.run import deadline, finish, metering, patience, profile_policy, transitions
from autopack_operator.domain.run.verdict import (
    Verdict,
    budget_exhausted,
    infrastructure,
    of_stopped_pod,
    of_stuck_pod,
)
from autopack_operator.domain.run.world import (
    AcquireLease,
    CreatePod,
    DeletePod,
    LookUpPod,
    LookUpProfile,
    Prepare,
    Step,
    Wait,
    World,
    WriteStatus,
)
from autopack_operator.domain.times import seconds_between
from autopack_operator.domain.views import Attempt, LeaseConflict, PodView, RunView, VolumeFailure

IMAGE_PATIENCE_SECONDS = 60.0
QUIET_SECONDS = 5.0
"""A hold-up of a pod is told of when it has lasted so long."""

STARTING_SECONDS = 15.0
"""The same where nothing is wrong and the pod only takes its time: where hundreds start at once, most take longer than
QUIET_SECONDS, and a write for each of them would only keep the others waiting.
"""

CROWDED_SECONDS = 15.0
"""What merely tells of a pod gives way to what brings runs on, until the pod has had its node for so long. Most of what
would be told is out of date by then, or the run is over.
"""

KUBELET_SECONDS = 5.0
"""What a kubelet takes at most to notice that a pod object is gone."""

POLL_SECONDS = 1.0
BLOCKED_SECONDS = 5.0
PATIENCE_WITH_NODE_SECONDS = 60.0
CANCELED = Verdict(Phase.CANCELED, "Canceled", "canceled while it ran; its work was kept")
SUSPENDED = Verdict(Phase.SUSPENDED, "Suspended", "spec.suspend is true; the work so far is kept")


def decide(run: RunView, world: World, now: datetime) -> Step:
    """The next step with the attempt that the status names."""
    pod = world.pod
    if pod is None:
        return _without_pod(run, world, now)
    ending = _decided(run, world)
    if pod.stopped:
        verdict = of_stopped_pod(pod)
        # A command that still ended well while it was being suspended has nothing left to resume.
        overtaken = ending is None or (ending.phase == SUSPENDED.phase and verdict.phase == Phase.SUCCEEDED)
        return finish.decide(run, world, verdict if overtaken else ending, now)
    if ending is None and (ending := _must_end(run, world, pod, now)) is not None:
        return WriteStatus(transitions.decided(run, ending, now))
    late = seconds_between(pod.stops_by, now) - PATIENCE_WITH_NODE_SECONDS if pod.stops_by is not None else None
    if late is not None and late >= 0:
        return _node_is_silent(run, pod, now)
    if ending is not None:
        stopping = pod.deleting or world.known.stop_asked == pod.uid
        return Wait(None if late is None else -late) if stopping else DeletePod(pod)
    return metering.grant(world, pod) or metering.bounded(_watch(run, world, pod, now), world)


def _node_is_silent(run: RunView, pod: PodView, now: datetime) -> Step:
    """The pod should have stopped and nobody says that it has. Silence proves nothing: all there is to do is tell."""
    message = (
        f"pod {pod.name} should have stopped, and its node {pod.node} does not say that it has; if the node is down, "
        "delete it or taint it node.kubernetes.io/out-of-service: then the run continues"
    )
    status = transitions.waiting(run, Phase.FINISHING, "NodeSilent", message, now)
    return Wait() if status == run.status else WriteStatus(status)


def _decided(run: RunView, world: World) -> Verdict | None:
    """The end that an earlier decision wrote down."""
    outcome = run.status.outcome
    if outcome is None:
        return None
    if outcome.phase == SUSPENDED.phase and world.canceled:
        return CANCELED
    if outcome.phase in {CANCELED.phase, SUSPENDED.phase, Phase.REFUSED} or outcome.reason == deadline.REASON:
        return Verdict(outcome.phase, outcome.reason, outcome.message)
    return infrastructure(outcome.reason, outcome.message)


def _must_end(run: RunView, world: World, pod: PodView, now: datetime) -> Verdict | None:
    stuck = of_stuck_pod(pod, seconds_between(pod.created_at, now), IMAGE_PATIENCE_SECONDS)
    return _asked_to_end(run, world, now) or stuck


def _asked_to_end(run: RunView, world: World, now: datetime) -> Verdict | None:
    if world.spec_error:
        return Verdict(Phase.REFUSED, "InvalidSpec", world.spec_error)
    if world.canceled:
        return CANCELED
    if world.held:
        return SUSPENDED
    return budget_exhausted(world.exhausted) if world.exhausted else deadline.exceeded(run, world.spec, now)


def _without_pod(run: RunView, world: World, now: datetime) -> Step:
    if not world.known.pod_absent:
        return LookUpPod(run.status.pod_name or "")
    if run.status.pod_uid is not None or run.status.outcome is not None or world.known.pod_seen:
        left = _may_still_run(run, world, now)
        if left > 0:
            return Wait(left)
        return finish.decide(run, world, _decided(run, world), now)
    ending = _asked_to_end(run, world, now) or _hopeless(run, world, now)
    if ending is not None:
        return WriteStatus(transitions.decided(run, ending, now))
    return _create(run, world, now)


def _may_still_run(run: RunView, world: World, now: datetime) -> float:
    """Seconds for which the command of a vanished pod may still live.

    An object that was removed by force, or while nobody looked, proves nothing: a kubelet stops the containers when it
    notices, within their grace period. Until then nothing is imported and no other attempt starts.
    """
    if world.pod_stopped or (run.status.pod_uid is None and not world.known.pod_seen):
        return 0.0
    gone_for = (now - (world.known.pod_gone_at or now)).total_seconds()
    return world.spec.termination_grace_period_seconds + KUBELET_SECONDS - gone_for


def _hopeless(run: RunView, world: World, now: datetime) -> Verdict | None:
    """What would keep every try to make the pod from working. Written down before the attempt's work is committed, so
    that no later look finds reason to try again.
    """
    if world.known.pod_problem is not None and world.known.pod_problem.hopeless:
        return infrastructure(world.known.pod_problem.reason, world.known.pod_problem.message)
    match world.known.prepared:
        case VolumeFailure(transient=False) as failure:
            return infrastructure(failure.reason, failure.message)
        case VolumeFailure() as failure if (lost := patience.lost(run, world.spec, failure, now)) is not None:
            return lost
    if profile_policy.unknown(world):
        return None
    refusal = profile_policy.refusal(run, world.spec, world.profile, world.profile_error)
    return infrastructure(refusal.reason, refusal.message) if refusal is not None else None


def _create(run: RunView, world: World, now: datetime) -> Step:
    """Claimed, and no pod is known: make it, holding the leases.

    An earlier process may have made one that ran and was deleted unseen. The name keeps a second one from living beside
    it, and its workspace container refuses a folder in which a command has begun.
    """
    if world.known.pod_problem is not None:
        return _blocked(run, world.known.pod_problem.reason, world.known.pod_problem.message, now)
    if world.profile is None:
        return LookUpProfile(world.spec.profile_ref.name)
    if isinstance(world.known.prepared, VolumeFailure):
        status = transitions.unprepared(run, Phase.PREPARING, world.known.prepared, now)
        return Wait(BLOCKED_SECONDS) if status == run.status else WriteStatus(status)
    if not isinstance(world.known.prepared, Attempt):
        again = Prepare(run.status.attempt, run.status.resumed_from is not None)
        return Wait(POLL_SECONDS) if world.known.prepared is not None else again
    match world.known.lease:
        case int():
            return CreatePod(world.known.prepared, world.spec, world.profile)
        case LeaseConflict() as conflict:
            return _blocked(run, "LeaseConflict", f"Lease {conflict.lease} is held by {conflict.holder}", now)
        case _:
            return AcquireLease(run.status.attempt, world.known.prepared.workspace)


def _blocked(run: RunView, reason: str, message: str, now: datetime) -> Step:
    status = transitions.waiting(run, Phase.PREPARING, reason, message, now)
    return Wait(BLOCKED_SECONDS) if status == run.status else WriteStatus(status)


def _watch(run: RunView, world: World, pod: PodView, now: datetime) -> Step:
    """One write when the command runs; hold-ups before that are told once they last. A pod that got its node starts
    again: most then run within moments, and what was told of its wait is corrected by the write that says so.
    """
    status = transitions.billed(transitions.observed(run, pod, now), world.spent)
    if status == run.status:
        return Wait(_look_again(run))
    age = seconds_between(pod.scheduled_at or pod.created_at, now)
    quiet = STARTING_SECONDS if status.reason in transitions.STARTING else QUIET_SECONDS
    if status.phase != Phase.RUNNING and age < quiet:
        return Wait(quiet - age)
    if status.phase == Phase.RUNNING and run.status.phase == Phase.RUNNING and status.usage == run.status.usage:
        return Wait()
    if world.crowded and age < CROWDED_SECONDS:
        return Wait(min(CROWDED_SECONDS - age, BLOCKED_SECONDS))
    return WriteStatus(status)


def _look_again(run: RunView) -> float | None:
    return None if run.status.phase == Phase.RUNNING else IMAGE_PATIENCE_SECONDS
