"""spec.failurePolicy: when a batch gives up. Without one it never does: all of its runs are tried."""

from __future__ import annotations

from autopack.counts import count_of
from autopack.phases import Phase
from autopack_operator.domain.api.batch import FailurePolicy
from autopack_operator.domain.api.status import Outcome
from autopack_operator.domain.batch.census import Census


def exceeded(policy: FailurePolicy, counted: Census) -> Outcome | None:
    """The end of the batch, once too many runs have failed, or one for a reason that ends it."""
    for reason in policy.stop_on:
        if (name := counted.reasons.get(reason)) is not None:
            return Outcome(
                phase=Phase.FAILED,
                reason="StoppedOnFailure",
                message=f"{name} ended with {reason}, which ends the batch",
            )
    if policy.max_failed is not None and len(counted.failed) > policy.max_failed:
        failed = count_of(len(counted.failed), "run")
        return Outcome(
            phase=Phase.FAILED,
            reason="TooManyRunsFailed",
            message=f"{failed} failed; spec.failurePolicy.maxFailed is {policy.max_failed}",
        )
    return None
