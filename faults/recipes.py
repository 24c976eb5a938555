"""Plans from the recorded lives of undisturbed workloads: every request and every event, with every kind of fault.

Pure, and in the same order for the same recordings.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from faults.nodes import COMPONENTS
from faults.plan import Fault, Kind, Match, Plan
from faults.record import Record

JsonDict = dict[str, Any]

CODES = (409, 410, 429, 500, 503)
RESETS = (Kind.RESET_BEFORE, Kind.RESET_AFTER)
KILLS = (Kind.KILL_BEFORE, Kind.KILL_AFTER, Kind.KILL_LATE)
USUAL_RESYNC = 300
QUICK_RESYNC = 5
"""For faults that lose an event for good, or are over later than the trial: only a look at the API server finds out."""

HOLD_SECONDS = 3.0
LATE_SECONDS = 0.5
SILENCE_SECONDS = 8.0
DEAD_WATCH_SECONDS = 85.0
"""Longer than the informer's own patience with a silent watch (70 s)."""

FULL_SECONDS = 6.0
"""Less than what the neighbour of a run that meets a full disk still has to do."""

SEED = 7
EVERY_NTH_WATCH_FAULT = 3
"""Events are many and alike: of their faults every third is played, a different one at each event."""

RUNNING = Match(verb="update", resource="autopackruns/status", name="~", nth=2)
"""The second status that is written of a run says that its command runs."""

WITH_DATABASE = frozenset({"success", "retry", "batch"})
AWAY_FROM = frozenset({"pods", "commits", "autopackruns", "autopackruns/status", "runbatches/status"})
"""Requests after which there is still something to tell the registry."""

FAILOVER = ("create pods", "update autopackruns/status", "create commits", "create autopackruns")


@dataclass(frozen=True)
class Undisturbed:
    """A workload's life without a fault: every plan is derived from it and compared with it."""

    calls: list[Match]
    events: list[Match]
    final: JsonDict

    def common(self, other: Undisturbed) -> Undisturbed:
        """What both lives had: only that can be relied on to come again."""
        calls, events = ([item for item in mine if item in theirs] for mine, theirs in self._pairs(other))
        return Undisturbed(calls, events, self.final)

    def _pairs(self, other: Undisturbed) -> tuple[tuple[list[Match], list[Match]], tuple[list[Match], list[Match]]]:
        return (self.calls, other.calls), (self.events, other.events)


def events_of(record: Record) -> list[Match]:
    """The events of watches that the operator gets to see of a trial's objects, numbered."""
    resources = {"AutopackRun": "autopackruns", "RunBatch": "runbatches", "Pod": "pods"}
    seen: dict[tuple[str, str, str], int] = {}
    found = []
    for item in record.history:
        if item.kind in resources:
            place = item.event, resources[item.kind], item.name.replace(record.name, "~")
            seen[place] = seen.get(place, 0) + 1
            found.append(Match(verb=place[0], resource=place[1], name=place[2], nth=seen[place]))
    return found


def plans(lives: dict[str, Undisturbed]) -> list[Plan]:
    """All of them: the slow ones first, so that none is waited for at the end, the others mixed."""
    found = [plan for name, life in sorted(lives.items()) for plan in _of(name, life)]
    random.Random(SEED).shuffle(found)  # noqa: S311 - an order, not a secret
    return sorted(found, key=lambda plan: (plan.category != "dead watches", -plan.operators, plan.resync_seconds))


def real_plans(lives: dict[str, Undisturbed], most: int) -> list[Plan]:
    """With real pods, where a trial takes seconds: kills at the requests that come in any case, spread evenly."""
    found = [
        _with_real_pods(name, "real pods", Fault(kind=kind, match=match, seconds=LATE_SECONDS))
        for name, life in sorted(lives.items())
        for match in life.calls
        # How many statuses are written depends on how long a real pod takes to start.
        if match.resource != "events" and not (match.verb == "update" and match.nth > 1)
        for kind in (*KILLS, Kind.RESET_AFTER)
    ]
    chosen = found[:: max(1, len(found) // most)]
    return chosen + [
        _with_real_pods(name, "real pods", Fault(kind=kind, match=RUNNING))
        for name in ("success", "retry")
        for kind in (Kind.POD_FORCE_DELETED, Kind.POD_EVICTED)
    ]


def wrote(reason: str) -> Match:
    """The status with that reason is written of the run."""
    return Match(verb="update", resource="autopackruns/status", name="~", reason=reason)


POD_MADE = Match(verb="create", resource="pods", name="~-a1")
TAKEN_IN = Match(verb="create", resource="commits", name="~-a1")


def memory_plans() -> list[Plan]:
    """The kernel kills a real command for want of memory, and the operator is killed as it writes that down."""
    return _hungry("memory", "memory", (TAKEN_IN, wrote("Retrying"), wrote("Completed")))


def disk_plans() -> list[Plan]:
    """A real command fills its quota, and the operator is killed as it writes that down; or the volume is full for a
    while: as an attempt is prepared, as its pod starts, as its command runs and ends, and as its work is imported.
    """
    moments = (Match(verb="create", resource="attempts", name="~-a1"), POD_MADE, wrote("CommandRunning"), TAKEN_IN)
    return _hungry("disk", "quota", (TAKEN_IN, wrote("DiskQuotaExceeded"))) + [
        _with_real_pods("neighbours", "disk", Fault(kind=Kind.DISK_FULL, match=match, seconds=FULL_SECONDS))
        for match in moments
    ]


def _hungry(category: str, workload: str, matches: tuple[Match, ...]) -> list[Plan]:
    return [
        _with_real_pods(workload, category, Fault(kind=kind, match=match, seconds=LATE_SECONDS))
        for match in matches
        for kind in (*KILLS, Kind.RESET_AFTER)
    ]


def _with_real_pods(workload: str, category: str, fault: Fault) -> Plan:
    return Plan(workload=workload, category=category, fault=fault, real=True)


def node_plans(lives: dict[str, Undisturbed]) -> list[Plan]:
    """Processes of the node and of the control plane are killed under real pods; these disturb the whole cluster."""
    calls = [item for item in lives["success"].calls if item.resource in {"pods", "commits"}]
    return [
        _with_real_pods("success", "node", Fault(kind=Kind.COMPONENT_KILLED, match=match, component=component))
        for component in COMPONENTS
        for match in [*calls, RUNNING]
    ]


def database_plans(lives: dict[str, Undisturbed]) -> list[Plan]:
    """The registry's database is away from a request on until after the end; at the latest from the last status on."""
    return [
        Plan(workload=name, category="database", fault=Fault(kind=kind, match=match, also_kill=also_kill))
        for name, life in sorted(lives.items())
        if name in WITH_DATABASE
        for match in _spread([match for match in life.calls if match.resource in AWAY_FROM])
        for kind in Kind
        if kind.of_database
        for also_kill in (False, True)
    ]


def _spread(matches: list[Match]) -> list[Match]:
    """The first, one in the middle, and the last that writes a status."""
    last = max((index for index, match in enumerate(matches) if match.resource.endswith("/status")), default=-1)
    return [matches[index] for index in sorted({0, last // 2, last})] if last >= 0 else []


def sample(all_plans: list[Plan], most: int) -> list[Plan]:
    """About so many of them, of every category, spread evenly; never a dead watch, which takes over a minute."""
    lively = [plan for plan in all_plans if plan.category != "dead watches"]
    stride = max(1, len(lively) // most)
    by_category: dict[str, list[Plan]] = {}
    for plan in lively:
        by_category.setdefault(plan.category, []).append(plan)
    return [plan for group in by_category.values() for plan in group[:: min(stride, max(1, len(group) // 4))]]


def _of(workload: str, life: Undisturbed) -> Iterator[Plan]:
    for match in life.calls:
        yield from _requests(workload, match)
        for kind in KILLS:
            fault = Fault(kind=kind, match=match, seconds=LATE_SECONDS)
            yield Plan(workload=workload, category="kills", fault=fault, resync_seconds=_resync_after(fault))
    yield from _stale(workload, life)
    yield from _watches(workload, life)
    yield from _failovers(workload, life)
    yield from _surroundings(workload, life)


def _requests(workload: str, match: Match) -> Iterator[Plan]:
    for code in CODES:
        yield Plan(workload=workload, category="errors", fault=Fault(kind=Kind.STATUS, match=match, code=code))
    for kind in RESETS:
        yield Plan(workload=workload, category="resets", fault=Fault(kind=kind, match=match))
    yield Plan(workload=workload, category="delays", fault=Fault(kind=Kind.DELAY, match=match, seconds=HOLD_SECONDS))


def _stale(workload: str, life: Undisturbed) -> Iterator[Plan]:
    """Killed after it has written something, and started again on lists from before that."""
    for match in life.calls[2:]:
        yield Plan(workload=workload, category="stale lists", fault=Fault(kind=Kind.KILL_STALE, match=match))


def _watches(workload: str, life: Undisturbed) -> Iterator[Plan]:
    chosen = [(match, kind, seconds) for match in life.events for kind, seconds in _EVENT_FAULTS]
    for match, kind, seconds in chosen[::EVERY_NTH_WATCH_FAULT]:
        resync = QUICK_RESYNC if kind in {Kind.EVENT_DROP, Kind.EVENT_SILENCE} else USUAL_RESYNC
        fault = Fault(kind=kind, match=match, seconds=seconds)
        yield Plan(workload=workload, category="watches", fault=fault, resync_seconds=resync)
    dead = [match for match in life.events if (match.verb, match.resource) == ("ADDED", "pods")][:1]
    for match in dead:
        fault = Fault(kind=Kind.EVENT_SILENCE, match=match, seconds=DEAD_WATCH_SECONDS)
        yield Plan(workload=workload, category="dead watches", fault=fault)


_EVENT_FAULTS = (
    (Kind.EVENT_HOLD, HOLD_SECONDS),
    (Kind.EVENT_DROP, 0.0),
    (Kind.EVENT_DUPLICATE, 0.0),
    (Kind.EVENT_REPLAY, 0.0),
    (Kind.EVENT_ERROR, 0.0),
    (Kind.EVENT_TRUNCATE, 0.0),
    (Kind.EVENT_SILENCE, SILENCE_SECONDS),
)


def _failovers(workload: str, life: Undisturbed) -> Iterator[Plan]:
    """Two operators; the leader is frozen, or its Lease goes, at the requests that matter."""
    kinds = (Kind.STOP_AFTER, Kind.STOP_LATE, Kind.LEADER_DELETED, Kind.LEADER_STOLEN)
    chosen = [match for match in life.calls if f"{match.verb} {match.resource}" in FAILOVER]
    for index, match in enumerate(chosen):
        kind = kinds[index % len(kinds)]
        fault = Fault(kind=kind, match=match, seconds=LATE_SECONDS)
        yield Plan(
            workload=workload, category="failovers", fault=fault, operators=2, resync_seconds=_resync_after(fault)
        )


def _resync_after(fault: Fault) -> int:
    """A Lease that comes late is found by a look at all Leases, which is as frequent as the resync."""
    return QUICK_RESYNC if fault.late_lease else USUAL_RESYNC


def _surroundings(workload: str, life: Undisturbed) -> Iterator[Plan]:
    """The operator's rights are taken away for a while; running pods are evicted, or removed by force."""
    if RUNNING in life.calls:
        for kind in (Kind.POD_FORCE_DELETED, Kind.POD_EVICTED):
            yield Plan(workload=workload, category="pods", fault=Fault(kind=kind, match=RUNNING))
    for match in life.calls[::3]:
        yield Plan(workload=workload, category="rights", fault=Fault(kind=Kind.RIGHTS_REVOKED, match=match))
