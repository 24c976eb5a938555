"""Who held a run's Lease, and when: read out of its history. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from autopack.registry.reader import Step


@dataclass
class Hold:
    """One attempt held the run and its workspace from `since` until `until`; texts of times, or empty."""

    attempt: int
    since: str
    until: str = ""
    how: str = ""


def holds(steps: Iterable[Step]) -> list[Hold]:
    """Return the times at which the Lease changed hands, oldest first."""
    found: list[Hold] = []
    for step in steps:
        lease = next((each for each in step.conditions if each.get("type") == "LeaseHeld"), None)
        if lease is None:
            continue
        current = found[-1] if found and not found[-1].until else None
        if lease.get("status") == "True":
            if current is None or current.attempt != step.attempt:
                if current is not None:
                    current.until, current.how = lease.get("at", ""), "passed to the next attempt"
                # The condition keeps its first time while one attempt hands over to the next.
                found.append(Hold(step.attempt, lease.get("at", "")))
        elif current is not None:
            current.until, current.how = lease.get("at", ""), lease.get("reason", "")
    return found


def attempts(steps: Iterable[Step]) -> list[Step]:
    """Return the last step of each attempt, oldest first."""
    last: dict[int, Step] = {}
    for step in steps:
        if step.attempt > 0:
            last[step.attempt] = step
    return [last[number] for number in sorted(last)]
