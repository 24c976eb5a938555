"""The states of a delivery, and whether one is still to come."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum

from pydantic import ValidationError

from autopack.phases import Phase
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.api.deliver import Deliver, When
from autopack_operator.domain.views import RunView


class State(StrEnum):
    """status.delivery.state."""

    PENDING = "Pending"
    AWAITING_APPROVAL = "AwaitingApproval"
    DELIVERED = "Delivered"
    CONFLICT = "Conflict"
    REFUSED = "Refused"
    FAILED = "Failed"


UNDER_WAY = frozenset({State.PENDING, State.AWAITING_APPROVAL})
FINAL = frozenset(State) - UNDER_WAY


def wanted(spec: JsonDict) -> Deliver | None:
    """The spec.deliver of a stored run; None where there is none, or none that can be read."""
    stored = spec.get("deliver")
    if stored is None:
        return None
    try:
        return Deliver.model_validate(stored)
    except ValidationError:
        return None


def digest(deliver: Deliver) -> str:
    """What tells one wish from another. Defaults are left out: a new field changes no digest of before."""
    document = deliver.model_dump(by_alias=True, exclude_defaults=True, mode="json")
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


def due(run: RunView, deliver: Deliver) -> bool:
    """Whether the run has come to an end that is followed by a delivery."""
    if not run.terminal or run.status.attempt == 0:
        return False
    return deliver.when is When.ALWAYS or run.status.phase == Phase.SUCCEEDED


def under_way(run: RunView) -> bool:
    """Whether there is, or will be, something to do for a run's delivery."""
    delivery, deliver = run.status.delivery, wanted(run.spec)
    if deliver is None:
        return delivery is not None and delivery.state in UNDER_WAY
    if not due(run, deliver):
        return False
    return delivery is None or delivery.state in UNDER_WAY or delivery.request != digest(deliver)
