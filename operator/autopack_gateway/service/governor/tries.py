"""Whether a request is tried again after what a provider answered: pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

FAILURES = 4
"""How often a request is sent at most, where the provider fails."""
_LONGEST = 30.0


class Again(NamedTuple):
    """Try again after so many seconds. `saturated`: the provider said that it is too much, and how long to wait."""

    after: float
    saturated: bool
    wait: float = 0.0


def is_saturated(status: int, headers: Mapping[str, str]) -> bool:
    """Tell whether an answer says that the provider has no room now."""
    return status in {429, 529} or (status == 503 and "retry-after" in {name.lower() for name in headers})


def after_answer(status: int, *, saturated: bool, wait: float, tries: int, left: float, backoff: float) -> Again | None:
    """Decide after the `tries`-th answer, with `left` seconds of patience; None: the agent gets this answer."""
    delay = wait or backed_off(tries, backoff)
    if saturated:
        return Again(0.0 if wait else delay, saturated=True, wait=wait) if delay < left else None
    if status in {500, 502, 503, 504} and tries < FAILURES and delay < left:
        return Again(delay, saturated=False)
    return None


def backed_off(tries: int, backoff: float) -> float:
    """Return the seconds before the next try."""
    return float(min(_LONGEST, backoff * 2 ** min(tries - 1, 16)))
