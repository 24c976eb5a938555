"""spec.successPolicy: when a batch has what it wants before all of its runs are finished."""

from __future__ import annotations

from autopack.counts import count_of
from autopack.phases import Phase
from autopack_operator.domain.api.batch import SuccessPolicy
from autopack_operator.domain.api.status import Outcome
from autopack_operator.domain.batch.census import Census


def met(policy: SuccessPolicy | None, counted: Census) -> Outcome | None:
    """The end of the batch, once enough runs have succeeded."""
    if policy is None or len(counted.succeeded) < policy.succeeded_count:
        return None
    return Outcome(
        phase=Phase.SUCCEEDED,
        reason="SuccessPolicyMet",
        message=f"{count_of(len(counted.succeeded), 'run')} succeeded; spec.successPolicy.succeededCount is "
        f"{policy.succeeded_count}",
    )
