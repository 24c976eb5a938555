"""The decisions about leases, without any effect: every backend asks these and none has its own."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from .port import Holder


class Answer(Enum):
    """What to do with a request for a lease."""

    TAKE = "take"
    KEEP = "keep"
    REFUSE = "refuse"


def on_request(current: Holder | None, candidate: Holder, *, current_is_gone: bool) -> Answer:
    """Decide whether `candidate` gets what `current` is recorded to have."""
    if current is None:
        return Answer.TAKE
    if current.identity == candidate.identity:
        return Answer.KEEP
    return Answer.TAKE if current_is_gone else Answer.REFUSE


def has_ended(holder: Holder, here: Holder, started: str | None) -> bool:
    """Tell whether a process that is recorded as a holder, and whose lock is taken, is proven to have ended.

    `here` describes the machine we are on; `started` is when the process that has the holder's pid now began (in the
    kernel's units), None if there is none.
    """
    facts, ours = holder.facts, here.facts
    if facts.get("boot") != ours.get("boot"):
        return _restarted(facts, ours)
    return facts.get("pids") == ours.get("pids") and started != facts.get("started")


def lost_its_lock(holder: Holder, here: Holder) -> bool:
    """Tell whether a recorded holder is proven to be gone by our having got its lock.

    On the same running kernel it is, for the kernel keeps a lock as long as its holder lives. A holder on another
    machine is never proven to be gone: locks need not reach that far. One from before a restart of this machine is.
    """
    return holder.facts.get("boot") == here.facts.get("boot") or _restarted(holder.facts, here.facts)


def _restarted(facts: Mapping[str, str], ours: Mapping[str, str]) -> bool:
    same_machine = facts.get("host") == ours.get("host") and facts.get("machine") == ours.get("machine")
    return same_machine and bool(ours.get("machine"))
