"""Whose turn it is to start a run of a profile that lets only so many be under way at once (maxConcurrentRuns).

A higher priority goes first. Equals take turns: whoever has waited longest, counted from its last start (of a batch) or
its creation, so that nobody who wants to start is passed by forever by others of the same priority.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from autopack.counts import count_of
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.keys import Key
from autopack_operator.domain.run.verdict import BUDGET_EXHAUSTED
from autopack_operator.domain.views import RunView

REASON = "QuotaReached"
_GAVE_UP_ITS_PLACE = frozenset({"Suspended", BUDGET_EXHAUSTED, REASON})


@dataclass(frozen=True, slots=True)
class Waiter:
    """A batch or a run that wants to start `wanted` runs. `since` is a Unix time in seconds."""

    key: Key
    priority: int
    since: float
    wanted: int = 1


def next_turns(waiters: Iterable[Waiter], places: int) -> list[Key]:
    """Who gets the free places, in order; a batch may be named more than once."""

    def tickets() -> Iterator[tuple[int, int, float, Key]]:
        for waiter in waiters:
            for count in range(min(waiter.wanted, places)):
                yield -waiter.priority, count, waiter.since, waiter.key

    return [key for *_, key in heapq.nsmallest(places, tickets())] if places > 0 else []


def occupies(run: RunView) -> bool:
    """Whether the run is under way: from the claim of its first attempt to its end. While it is suspended it is not,
    and has to wait for its turn again when it goes on.
    """
    status = run.status
    if run.terminal or status.attempt == 0:
        return False
    return status.next_attempt_at is None or status.reason not in _GAVE_UP_ITS_PLACE


def profile_of(spec: JsonDict) -> str:
    """Name of the RunProfile that a stored spec (of a run, or the template of a batch) asks for."""
    ref = spec.get("profileRef")
    name = ref.get("name") if isinstance(ref, dict) else None
    return name if isinstance(name, str) else "default"


def message(profile: str, spec: RunProfileSpec | None) -> str:
    """Why nothing starts."""
    limit = spec.max_concurrent_runs if spec is not None else None
    allowed = "no more runs" if limit is None else f"{count_of(limit, 'run')} at once"
    return f"waits for its turn: RunProfile {profile!r} allows {allowed}"
