"""Retry policy: how often, by class of failure, and how long to wait."""

from __future__ import annotations

import hashlib

from autopack_operator.domain.api.run import Retry
from autopack_operator.domain.api.status import Failures
from autopack_operator.domain.run.verdict import FailureClass, Verdict

MAX_BACKOFF_SECONDS = 600.0
_JITTER = 0.2


def counted(failures: Failures, failure: FailureClass) -> Failures:
    """The failures with one more of that class."""
    if failure is FailureClass.NONE:
        return failures
    return failures.model_copy(update={failure.value: getattr(failures, failure.value) + 1})


def allowed(retry: Retry, failures: Failures, verdict: Verdict) -> bool:
    """Whether one more attempt follows; `failures` already counts the one just seen."""
    failure = verdict.failure
    if failure is FailureClass.NONE:
        return False
    if failure is FailureClass.AGENT and retry.exit_codes and verdict.exit_code not in retry.exit_codes:
        return False
    limit: int = getattr(retry, failure.value)
    seen: int = getattr(failures, failure.value)
    return seen <= limit


def backoff_seconds(retry: Retry, failures: Failures, seed: str) -> float:
    """Wait before the next attempt: doubles with each failure, bounded, and spread by a jitter that is the same for the
    same run and attempt (so that deciding twice gives one answer).
    """
    total = failures.infrastructure + failures.agent
    base = min(retry.backoff_seconds * 2.0 ** max(0, total - 1), MAX_BACKOFF_SECONDS)
    fraction = int.from_bytes(hashlib.sha256(f"{seed}:{total}".encode()).digest()[:4], "big") / 2**32
    return float(base * (1 + _JITTER * fraction))
