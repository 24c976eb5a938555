"""Judges of the poison: a run in each lane that can never start, because somebody else's pod has its pod's name. Pure.

The operator may look at it again and again, but seldom, and nothing else may wait for that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from autopack.phases import TERMINAL_PHASES, Phase
from faults.injector import Sent
from faults.plan import Kind, Plan
from faults.record import Poison, Record
from faults.witness import Seen, phase

JsonDict = dict[str, Any]

NAME = "poison"
TRY_SECONDS = 5.0
"""How often the operator tries again to make its pod."""

WRITES_A_TRY = 2
WRITES_A_START = 10
"""A process that starts decides about it from the beginning: attempt, Leases, pod, status, an Event."""

STATUSES_A_START = 2
HELD_UP_SECONDS = 10.0


def about(sent: Sent) -> bool:
    """Whether a request is about the poison, its pod or its Leases."""
    return NAME in sent.call.name


def poison_is_no_loop(record: Record) -> Iterator[str]:
    """10: a run that cannot start costs a bounded number of writes, and its status comes to rest."""
    starts, tries = 1 + record.restarts, 1 + int(record.poison.seconds / TRY_SECONDS)
    writes = [sent for sent in record.poison.sent if sent.call.mutating]
    limit = WRITES_A_START * starts + WRITES_A_TRY * tries
    if len(writes) > limit:
        counted = Counter(f"{sent.call.verb} {sent.call.resource}" for sent in writes)
        seconds = record.poison.seconds
        yield f"{len(writes)} writes in {seconds:.1f} s, at most {limit} are in order: {counted.most_common(4)}"
    changes = [seen for seen in record.poison.seen if seen.event == "MODIFIED"]
    if len(changes) > STATUSES_A_START * starts:
        yield f"its status changed {len(changes)} times, at last to {changes[-1].body.get('status')}"


def poison_stays(record: Record) -> Iterator[str]:
    """10: it is neither given up nor started nor removed; otherwise the trial would say nothing about poison."""
    if record.poison.phase in {*TERMINAL_PHASES, "", Phase.RUNNING}:
        yield f"it is {record.poison.phase or 'gone'}"


def nobody_waits_for_poison(record: Record) -> Iterator[str]:
    """10: the operator turns to an object of the trial soon after it appeared, rather than to the poison."""
    told: set[str] = set()
    for seen in record.history:
        if seen.kind not in {"AutopackRun", "RunBatch"} or seen.event != "ADDED" or seen.name in told:
            continue
        told.add(seen.name)
        answered = min((sent.at for sent in record.sent if seen.name in sent.call.name), default=seen.at)
        meanwhile = [sent for sent in record.poison.sent if seen.at < sent.at < answered]
        waited = answered - seen.at
        if meanwhile and waited > HELD_UP_SECONDS + record.late:
            yield f"{seen.name} waited {waited:.1f} s, and {len(meanwhile)} requests were about the poison meanwhile"


def of(sent: list[Sent], history: list[Seen], now: JsonDict | None, seconds: float) -> Poison:
    """Of one trial; `now` is the AutopackRun at its end."""
    seen = [item for item in history if (item.kind, item.name) == ("AutopackRun", NAME)]
    return Poison([item for item in sent if about(item)], seen, _phase(now), seconds)


def _phase(body: JsonDict | None) -> str:
    return "" if body is None else phase(body) or Phase.PENDING


def lateness(plan: Plan) -> float:
    """Seconds by which the plan itself keeps the operator from noticing an object."""
    if not plan.fault.kind.on_event:
        return 0.0
    lost = plan.fault.kind in {Kind.EVENT_DROP, Kind.EVENT_SILENCE}
    return plan.fault.seconds + (plan.resync_seconds if lost else 0.0)
