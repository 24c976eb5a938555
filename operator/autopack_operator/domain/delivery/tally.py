"""The deliveries of a batch's runs, counted. A run that is gone after it was counted is remembered by its index."""

from __future__ import annotations

from collections.abc import Iterable

from autopack_operator.domain import indexes
from autopack_operator.domain.api.batch import MAX_RUNS
from autopack_operator.domain.api.status import Deliveries
from autopack_operator.domain.delivery.state import State, under_way
from autopack_operator.domain.views import RunView


def counted(before: Deliveries | None, runs: Iterable[RunView]) -> Deliveries | None:
    """The counts with these runs, which are those that are there; None where nothing was ever delivered."""
    old = before or Deliveries()
    delivered, failed = indexes.parse(old.delivered_indexes), indexes.parse(old.failed_indexes)
    waiting: dict[str, int] = {State.PENDING: 0, State.AWAITING_APPROVAL: 0}
    for run in runs:
        state, index = _state_of(run), run.batch_index
        if state is None or index is None or index >= MAX_RUNS:
            continue
        delivered.discard(index)
        failed.discard(index)
        if state in waiting:
            waiting[state] += 1
        else:
            (delivered if state == State.DELIVERED else failed).add(index)
    if not (delivered or failed or any(waiting.values())):
        return before
    return Deliveries(
        pending=waiting[State.PENDING],
        awaiting_approval=waiting[State.AWAITING_APPROVAL],
        delivered=len(delivered),
        failed=len(failed),
        delivered_indexes=indexes.render(delivered),
        failed_indexes=indexes.render(failed),
    )


def _state_of(run: RunView) -> str | None:
    """How far its delivery is; None for a run that has none."""
    if not run.terminal:
        return None
    delivery = run.status.delivery
    if under_way(run):
        waits = delivery is not None and delivery.state == State.AWAITING_APPROVAL
        return State.AWAITING_APPROVAL if waits else State.PENDING
    return delivery.state if delivery is not None else None
