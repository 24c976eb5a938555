"""Plans of deliveries: every request of an undisturbed one, with everything that can happen there. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from faults.plan import Fault, Kind, Match, Plan

CATEGORY = "delivery"
WORKLOADS = ("first", "squashed", "again")
"""A run's only delivery; one that is made one commit; and a second attempt over what the first delivered."""

LATE_SECONDS = 0.15
AWAY_SECONDS = 1.0
CODES = (429, 500, 503)
EVERY_NTH = 31
"""What a quick campaign plays of them: another fault at another request each time."""

KINDS = (Kind.KILL_BEFORE, Kind.KILL_AFTER, Kind.KILL_LATE, Kind.RESET_BEFORE, Kind.RESET_AFTER)
LONG = (Kind.HOST_AWAY, Kind.TOKEN_EXPIRED)


def delivery_plans(lives: Mapping[str, Sequence[Match]]) -> list[Plan]:
    """Return all of them; `lives` are the requests of each workload without a fault."""
    return [
        Plan(workload=workload, category=CATEGORY, fault=fault)
        for workload, matches in lives.items()
        for match in matches
        for fault in _faults(match)
    ]


def _faults(match: Match) -> Iterator[Fault]:
    for kind in KINDS:
        yield Fault(kind=kind, match=match, seconds=LATE_SECONDS)
    for code in CODES:
        yield Fault(kind=Kind.STATUS, match=match, code=code)
    for kind in LONG:
        yield Fault(kind=kind, match=match, seconds=AWAY_SECONDS)
    yield Fault(kind=Kind.REMOTE_MOVED, match=match)


def cycle(plans: Sequence[Plan], deliveries: int) -> Iterator[Plan]:
    """Yield plans, again and again, until so many deliveries were not moved away from."""
    left = deliveries
    while left > 0 and plans:
        for plan in plans:
            if left > 0:
                left -= plan.fault.kind is not Kind.REMOTE_MOVED
                yield plan
