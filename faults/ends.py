"""Judges of how a trial ended, compared with the same workload without a fault. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from autopack.phases import Phase
from faults.plan import TRIAL, Kind
from faults.record import Record

JsonDict = dict[str, Any]

OF_A_FULL_DISK = frozenset({"WorktreeFailed", "CommandFailed"})
"""Reasons by which a run may fail that has met a full disk; each comes with the message of what could not write."""


def same_end(record: Record, expected: JsonDict) -> Iterator[str]:
    """The end is that of the trial without a fault."""
    for name in sorted(expected.keys() | record.final.keys()):
        wanted, found = expected.get(name), record.final.get(name)
        if wanted == found:
            continue
        if isinstance(wanted, dict) and isinstance(found, dict):
            fields = [field for field in sorted(wanted.keys() | found.keys()) if wanted.get(field) != found.get(field)]
            yield f"{name}: " + "; ".join(
                f"{field} is {found.get(field)!r}, not {wanted.get(field)!r}" for field in fields
            )
        else:
            yield f"{name} is {found!r}, not {wanted!r}"


def same_phase(record: Record, expected: JsonDict) -> Iterator[str]:
    """For a fault that costs an attempt: how it ends is the same, the attempt that it ends with is not."""
    for name, wanted in expected.items():
        if name.startswith(("AutopackRun ", "RunBatch ")):
            found = record.final.get(name) or {}
            if found.get("phase") != wanted.get("phase"):
                yield f"{name} is {found.get('phase')} {found.get('reason')}, not {wanted.get('phase')}"


def named_end(record: Record, expected: JsonDict) -> Iterator[str]:
    """For a full disk: the run that it hits may fail, if it says why; all others end as without it."""
    for name, wanted in expected.items():
        if not name.startswith("AutopackRun "):
            continue
        found = record.final.get(name) or {}
        failed = found.get("phase") == Phase.FAILED
        hit = name == f"AutopackRun {TRIAL}"
        if found.get("phase") != wanted.get("phase") and not (hit and failed and found.get("reason") in OF_A_FULL_DISK):
            yield f"{name} is {found.get('phase')} {found.get('reason')}: {found.get('message')}"


def end_of(kind: Kind | None) -> Callable[[Record, JsonDict], Iterator[str]]:
    """The judge for what was done."""
    if kind is Kind.DISK_FULL:
        return named_end
    return same_phase if kind is not None and kind.costs_an_attempt else same_end
