"""Conditions: the truth of a status. A transition time changes only when the status of the condition does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from autopack.errors import printable
from autopack_operator.domain.api.status import Condition
from autopack_operator.domain.times import rfc3339

MAX_MESSAGE = 1024
MAX_REASON = 128


class ConditionType(StrEnum):
    """The conditions of an AutopackRun, in the order in which they normally become true."""

    ANCHOR_APPROVED = "AnchorApproved"
    PREPARED = "Prepared"
    LEASE_HELD = "LeaseHeld"
    POD_SCHEDULED = "PodScheduled"
    WORKTREE_READY = "WorktreeReady"
    ARTIFACTS_COMMITTED = "ArtifactsCommitted"
    WORK_SAVED = "WorkSaved"
    SUCCEEDED = "Succeeded"
    DELIVERED = "Delivered"


def find(conditions: Sequence[Condition], kind: str) -> Condition | None:
    """The condition of that type, if it was ever set."""
    return next((condition for condition in conditions if condition.type == kind), None)


def is_true(conditions: Sequence[Condition], kind: str) -> bool:
    """Whether the condition is there and True."""
    found = find(conditions, kind)
    return found is not None and found.status == "True"


def with_condition(
    conditions: Sequence[Condition],
    kind: str,
    status: bool | None,
    reason: str,
    message: str = "",
    *,
    now: datetime,
    generation: int = 0,
) -> list[Condition]:
    """The conditions with this one set. `status` None means Unknown."""
    text = {True: "True", False: "False", None: "Unknown"}[status]
    before = find(conditions, kind)
    same = before is not None and before.status == text
    fresh = Condition(
        type=kind,
        status=text,
        reason=printable(reason, MAX_REASON) or "Unknown",
        message=printable(message, MAX_MESSAGE),
        last_transition_time=before.last_transition_time if before is not None and same else rfc3339(now),
        observed_generation=generation,
    )
    if before is None:
        return [*conditions, fresh]
    return [fresh if condition.type == kind else condition for condition in conditions]
