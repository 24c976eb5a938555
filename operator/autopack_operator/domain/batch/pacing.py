"""spec.startIntervalSeconds and spec.startJitterSeconds: runs that start one after the other.

The jitter is random between runs but always the same for one run, so that an operator that is started again, and one
that decides twice, keep the pace.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from autopack_operator.domain.api.batch import RunBatchSpec
from autopack_operator.domain.times import parse


def paced(spec: RunBatchSpec) -> bool:
    """Whether there is a pace at all."""
    return spec.start_interval_seconds > 0 or spec.start_jitter_seconds > 0


def last_start(exact: datetime | None, stored: str | None, youngest: str) -> datetime | None:
    """When a run was last started: as this process remembers it, else from what is stored, which is without fractions
    of a second: rounded up, so that the wait is never too short. None when none was.
    """
    if exact is not None:
        return exact
    text = max(stored or "", youngest)
    return parse(text) + timedelta(seconds=1) if text else None


def seconds_left(spec: RunBatchSpec, batch_uid: str, index: int, last: datetime | None, now: datetime) -> float:
    """Seconds until the run with that index may start."""
    if last is None or not paced(spec):
        return 0.0
    wait = spec.start_interval_seconds + spec.start_jitter_seconds * _fraction(batch_uid, index)
    return max(0.0, wait - (now - last).total_seconds())


def _fraction(batch_uid: str, index: int) -> float:
    return int.from_bytes(hashlib.sha256(f"{batch_uid}:{index}".encode()).digest()[:4], "big") / 2**32
