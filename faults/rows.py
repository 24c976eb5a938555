"""The registry's rows beside the objects that they tell of. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from autopack.phases import Phase
from faults.witness import Seen

JsonDict = dict[str, Any]
Step = tuple[int, str, str]
"""Attempt, phase and reason."""

_OF_RUN = {
    "attempt": "attempt",
    "state": "phase",
    "reason": "reason",
    "exit_code": "exitCode",
    "head_sha": "commit",
    "manifest_sha256": "manifestSHA256",
}
_OF_BATCH = {"state": "phase", "reason": "reason", "total": "total", "succeeded": "succeeded", "failed": "failed"}


@dataclass
class Rows:
    """Of the runs and batches of one trial, by their UIDs (`scope`)."""

    runs: list[JsonDict] = field(default_factory=list)
    events: list[JsonDict] = field(default_factory=list)
    batches: list[JsonDict] = field(default_factory=list)


def differences(rows: Rows, history: Iterable[Seen]) -> Iterator[str]:
    """Where the rows do not say what the objects said: lost, doubled, outdated or made up."""
    seen = [item for item in history if item.kind in {"AutopackRun", "RunBatch"}]
    gone = {item.body["metadata"]["uid"] for item in seen if item.event == "DELETED"}
    newest = {item.body["metadata"]["uid"]: item for item in seen if item.body["metadata"]["uid"] not in gone}
    for uid, item in newest.items():
        if item.kind == "RunBatch":
            yield from _newest(item, rows.batches, _OF_BATCH)
        else:
            yield from _newest(item, rows.runs, _OF_RUN)
            yield from _steps(item.name, [row for row in rows.events if row["scope"] == uid], _statuses(uid, seen))


def _newest(item: Seen, rows: list[JsonDict], names: dict[str, str]) -> Iterator[str]:
    """One row, whatever happened, and it says what the status says."""
    status = item.body.get("status") or {}
    own = [row for row in rows if row["scope"] == item.body["metadata"]["uid"]]
    if len(own) != 1:
        yield f"{item.name} has {len(own)} rows, not one"
        return
    for column, name in names.items():
        if own[0][column] != status.get(name):
            yield f"{item.name}: {column} is {own[0][column]!r}, the status says {status.get(name)!r}"


def _steps(name: str, rows: list[JsonDict], statuses: list[JsonDict]) -> Iterator[str]:
    """Every status that the run ever had is one row of its history."""
    told = Counter(_step(status["attempt"], status["phase"], status["reason"]) for status in statuses)
    found = Counter(_step(row["attempt"], row["state"], row["reason"]) for row in rows)
    for step, count in told.items():
        if not found[step]:
            yield f"{name}: {step} is lost"
        elif found[step] > count:
            yield f"{name}: {step} is there {found[step]} times, it was {count} times"
    for step in found - told:
        # One that was seen before it had a status.
        if step not in told and step[:2] != (0, Phase.PENDING):
            yield f"{name}: {step} never was"


def _statuses(uid: str, seen: list[Seen]) -> list[JsonDict]:
    """Those that differ, of one run."""
    found = [item.body.get("status") or {} for item in seen if item.body["metadata"]["uid"] == uid]
    with_phase = [{"attempt": 0, "reason": ""} | status for status in found if status.get("phase")]
    return list({json.dumps(status, sort_keys=True): status for status in with_phase}.values())


def _step(attempt: int, phase: str, reason: str | None) -> Step:
    return attempt, phase, reason or ""
