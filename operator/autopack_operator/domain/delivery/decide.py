"""decide(run, world, now) -> the one next step with the delivery of a finished run. In the order in which it happens:

    begin     profile -> what goes where -> the intent is written down, before the first request
    approval  nothing is asked for while somebody has to approve
    deliver   the publisher is asked, again and again, until it has a final answer
    end       the answer is written down; spec.deliver changed: begin again

Every step is safe to repeat: the publisher reads from the git server what was done already.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from autopack.measures import duration
from autopack_operator.domain.api.deliver import Approval, ApprovalRule, Decision, Deliver, DeliveryPolicy
from autopack_operator.domain.api.status import DeliveryStatus
from autopack_operator.domain.delivery import transitions
from autopack_operator.domain.delivery.policy import REASON, branch_of, objection, target_of
from autopack_operator.domain.delivery.request import request_of
from autopack_operator.domain.delivery.state import UNDER_WAY, State, digest, due, wanted
from autopack_operator.domain.delivery.work import Nothing, Work, work_of
from autopack_operator.domain.delivery.world import Ask, Delayed, Delivered, DeliveryStep, DeliveryWorld, NotDelivered
from autopack_operator.domain.run.world import LookUpProfile, Wait, WriteStatus
from autopack_operator.domain.times import seconds_between
from autopack_operator.domain.views import RunView

POLL_SECONDS = 1.0
FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS = 5.0, 300.0
PATIENCE_SECONDS = 86_400.0
"""A delivery that cannot be made for so long has failed; it can be asked for again."""


def decide(run: RunView, world: DeliveryWorld, now: datetime) -> DeliveryStep:
    """The next step for a run in a terminal phase. Pure."""
    deliver, delivery = wanted(run.spec), run.status.delivery
    if deliver is None:
        if delivery is not None and delivery.state in UNDER_WAY:
            message = "spec.deliver was taken away before the work was delivered"
            return _end(run, delivery, State.FAILED, "Withdrawn", message, now)
        return Wait()
    if not due(run, deliver):
        return Wait()
    new = delivery is None or delivery.request != digest(deliver)
    if delivery is not None and not new and delivery.state not in UNDER_WAY:
        return Wait()
    if world.spec_error:
        unread = DeliveryStatus(state=State.PENDING, request=digest(deliver))
        return _end(run, unread, State.REFUSED, "InvalidSpec", world.spec_error, now)
    if world.profile is None and not world.profile_error and not world.known.profile_absent:
        return LookUpProfile(world.spec.profile_ref.name)
    return _with_profile(run, world, deliver, delivery if not new else None, now)


def _with_profile(
    run: RunView, world: DeliveryWorld, deliver: Deliver, delivery: DeliveryStatus | None, now: datetime
) -> DeliveryStep:
    wish = delivery or transitions.begun(
        run, digest(deliver), branch_of(run, deliver), target_of(deliver, world.spec.source) or "", now
    )
    if (wrong := _not_allowed(run, world)) is not None:
        return _end(run, wish, State.REFUSED, REASON, wrong, now)
    policy = _policy(world)
    work = work_of(run.uid, run.status, deliver, wish.branch)
    if isinstance(work, Nothing):
        return _end(run, wish, State.REFUSED, work.reason, work.message, now)
    if delivery is not None:
        return _approved(run, world, policy, delivery, now) or _deliver(run, world, policy, work, delivery, now)
    begun = wish.model_copy(update={"commit": work.commit, "source": work.commit})
    if policy.approval is ApprovalRule.REQUIRED:
        return WriteStatus(transitions.awaiting(run, begun, world.spec.approval, now))
    return WriteStatus(transitions.told(run, begun, now))


def _policy(world: DeliveryWorld) -> DeliveryPolicy:
    """The profile's, which has one where it allows the delivery."""
    allowed = world.profile.deliver if world.profile is not None else None
    if allowed is None:
        raise TypeError("a RunProfile without spec.deliver allows no delivery")
    return allowed


def _not_allowed(run: RunView, world: DeliveryWorld) -> str | None:
    name = world.spec.profile_ref.name
    if world.profile_error:
        return f"RunProfile {name!r} cannot be read; correct its {world.profile_error}"
    if world.profile is None:
        return f"there is no RunProfile {name!r} in this namespace; create it, then raise spec.deliver.round"
    return objection(run, world.spec, world.profile)


def _approved(
    run: RunView, world: DeliveryWorld, policy: DeliveryPolicy, delivery: DeliveryStatus, now: datetime
) -> DeliveryStep | None:
    """What is to be done before anything is asked for; None when it is approved, or needs no approval."""
    answer = _answer_to(delivery, world.spec.approval)
    if answer is not None and answer.decision is Decision.REJECTED:
        why = f": {answer.message}" if answer.message else ""
        return _end(run, delivery, State.REFUSED, "Rejected", f"{answer.by} rejected it{why}", now)
    if policy.approval is ApprovalRule.NONE or answer is not None:
        by = answer.by if answer is not None else None
        if delivery.state == State.PENDING and delivery.approved_by == by:
            return None
        return WriteStatus(transitions.approved(run, delivery, by, now))
    waiting = transitions.awaiting(run, delivery, world.spec.approval, now)
    return Wait() if waiting == run.status else WriteStatus(waiting)


def _answer_to(delivery: DeliveryStatus, approval: Approval | None) -> Approval | None:
    """The approval, if it is about this very commit on this branch."""
    if approval is None or (approval.commit, approval.branch) != (delivery.source, delivery.branch):
        return None
    return approval


def _deliver(
    run: RunView,
    world: DeliveryWorld,
    policy: DeliveryPolicy,
    work: Work,
    delivery: DeliveryStatus,
    now: datetime,
) -> DeliveryStep:
    match world.known.answer:
        case Delivered() as done:
            return WriteStatus(transitions.delivered(run, delivery, done, now))
        case NotDelivered(state, reason, message):
            return _end(run, delivery, state, reason, message, now)
        case Delayed(reason, message):
            age = seconds_between(delivery.since, now) if delivery.since is not None else 0.0
            if age >= PATIENCE_SECONDS:
                message = f"not delivered within {duration(PATIENCE_SECONDS)}: {reason}: {message}"
                return _end(run, delivery, State.FAILED, "DeliveryTimeout", message, now)
            status = transitions.delayed(run, delivery, reason, message, now)
            return Wait(delay_seconds(run.uid, world.known.delays)) if status == run.status else WriteStatus(status)
        case str():
            return Wait(POLL_SECONDS)
        case _:
            return Ask(request_of(run, world.spec, policy, work, world.dashboard))


def delay_seconds(seed: str, delays: int) -> float:
    """Wait before the publisher is asked again: doubles, bounded, and spread so that not all come back at once."""
    base = min(FIRST_DELAY_SECONDS * 2.0 ** min(max(0, delays - 1), 16), LONGEST_DELAY_SECONDS)
    fraction = int.from_bytes(hashlib.sha256(f"{seed}:{delays}".encode()).digest()[:4], "big") / 2**32
    return base * (1 + 0.2 * fraction)


def _end(run: RunView, delivery: DeliveryStatus, state: str, reason: str, message: str, now: datetime) -> DeliveryStep:
    return WriteStatus(transitions.ended(run, delivery, state, reason, message, now))
