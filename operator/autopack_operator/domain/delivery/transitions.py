"""Statuses of a finished run as its delivery goes on. Its phase, reason and message never change."""

from __future__ import annotations

from datetime import datetime

from autopack.errors import printable
from autopack_operator.domain.api.deliver import Approval
from autopack_operator.domain.api.status import AutopackRunStatus, DeliveryStatus
from autopack_operator.domain.conditions import MAX_MESSAGE, MAX_REASON, ConditionType, with_condition
from autopack_operator.domain.delivery.state import State
from autopack_operator.domain.delivery.world import Delivered
from autopack_operator.domain.times import rfc3339
from autopack_operator.domain.views import RunView


def told(run: RunView, delivery: DeliveryStatus, now: datetime) -> AutopackRunStatus:
    """The status with that delivery. Texts may come from a git server: they are made inert and bounded."""
    reason, message = printable(delivery.reason, MAX_REASON), printable(delivery.message, MAX_MESSAGE)
    conditions = with_condition(
        run.status.conditions,
        ConditionType.DELIVERED,
        delivery.state == State.DELIVERED,
        reason or delivery.state,
        message,
        now=now,
        generation=run.generation,
    )
    safe = delivery.model_copy(update={"reason": reason, "message": message})
    return run.status.model_copy(update={"delivery": safe, "conditions": conditions})


def begun(run: RunView, request: str, branch: str, target: str, now: datetime) -> DeliveryStatus:
    """A delivery begins, or another one does after an end."""
    before = run.status.delivery
    same = before is not None and (before.branch, before.target) == (branch, target)
    delivered = before.commit if before is not None and before.state == State.DELIVERED else ""
    return DeliveryStatus(
        state=State.PENDING,
        reason="Begun",
        branch=branch,
        target=target,
        expected=(delivered or before.expected) if before is not None and same else "",
        request=request,
        since=rfc3339(now),
    )


def awaiting(run: RunView, delivery: DeliveryStatus, approval: Approval | None, now: datetime) -> AutopackRunStatus:
    """Somebody has to approve."""
    what = f"delivers {delivery.source[:12]} to the branch {delivery.branch}"
    message = f"`kubectl autopack approve {run.name}` {what}; `kubectl autopack reject {run.name}` refuses it"
    if approval is not None:
        message = f"the approval of {approval.commit[:12]} on {approval.branch} does not count for it: {message}"
    changes = {"state": State.AWAITING_APPROVAL, "reason": "ApprovalRequired", "message": message, "approved_by": None}
    return told(run, delivery.model_copy(update=changes), now)


def approved(run: RunView, delivery: DeliveryStatus, by: str | None, now: datetime) -> AutopackRunStatus:
    """Somebody approved, or nobody has to any more."""
    reason, message = ("Approved", f"approved by {by}") if by is not None else ("Begun", "")
    changes = {"state": State.PENDING, "reason": reason, "message": message, "approved_by": by, "since": rfc3339(now)}
    return told(run, delivery.model_copy(update=changes), now)


def delayed(run: RunView, delivery: DeliveryStatus, reason: str, message: str, now: datetime) -> AutopackRunStatus:
    """It is still to come, and why it takes so long."""
    return told(run, delivery.model_copy(update={"reason": reason, "message": message}), now)


def delivered(run: RunView, delivery: DeliveryStatus, done: Delivered, now: datetime) -> AutopackRunStatus:
    """The git server has it."""
    changes = {
        "state": State.DELIVERED,
        "reason": "Delivered",
        "message": done.message,
        "commit": done.commit,
        "pull_request": done.pull_request,
    }
    return told(run, delivery.model_copy(update=changes), now)


def ended(
    run: RunView, delivery: DeliveryStatus, state: str, reason: str, message: str, now: datetime
) -> AutopackRunStatus:
    """It came to another end."""
    return told(run, delivery.model_copy(update={"state": state, "reason": reason, "message": message}), now)
