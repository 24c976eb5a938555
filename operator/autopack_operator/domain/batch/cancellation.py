"""Whether the runs of a batch have to stop. Read from the stored batch alone, so that every process, whatever it has
seen, comes to the same answer.
"""

from __future__ import annotations

from autopack.phases import Phase
from autopack_operator.domain.api.batch import OnExceeded
from autopack_operator.domain.batch import deadline
from autopack_operator.domain.views import BatchView


def cancels_its_runs(batch: BatchView) -> bool:
    """The user canceled the batch, or its end is decided and leaves no run to go on.

    A finished batch has no run under way. One that turns up all the same was asked for by an operator that was killed
    while its request was on the way.
    """
    outcome = batch.status.outcome
    if batch.spec.get("cancel") is True or batch.terminal:
        return True
    if outcome is None:
        return False
    policy = batch.spec.get("failurePolicy")
    action = policy.get("action") if isinstance(policy, dict) else None
    return outcome.phase != Phase.FAILED or outcome.reason == deadline.REASON or action == OnExceeded.CANCEL
