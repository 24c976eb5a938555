"""What happened to a run, in the form in which it is kept on disk and sent to the registry. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum


class RunState(StrEnum):
    """The phases of a run, in the words of the custom resource."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"


@dataclass(frozen=True)
class RunFacts:
    """The state of a run after something happened to it; what is not known (yet) is None.

    Times are ISO 8601 in UTC, `workspace` and `artifacts` absolute paths, `message` one printable line.
    """

    run_id: str
    attempt: int
    state: RunState
    at: str
    batch_id: str | None = None
    reason: str | None = None
    message: str | None = None
    exit_code: int | None = None
    branch: str | None = None
    base_sha: str | None = None
    head_sha: str | None = None
    snapshot_sha: str | None = None
    workspace: str | None = None
    artifacts: str | None = None
    started_at: str | None = None
    finished_at: str | None = None


@dataclass(frozen=True)
class RunEvent:
    """Facts with their place in the run's history: a higher `sequence` of the same scope and run is newer.

    `scope` tells apart equal run ids of different folders of runs that share one database.
    """

    scope: str
    sequence: int
    facts: RunFacts


_NAMES = frozenset(field.name for field in fields(RunFacts))


def now() -> str:
    """Return the time as it is written in facts."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def encode(facts: RunFacts) -> bytes:
    """Return the facts as one line of JSON."""
    known = {name: value for name, value in asdict(facts).items() if value is not None}
    return json.dumps(known, sort_keys=True).encode("ascii") + b"\n"


def decode(line: bytes) -> RunFacts | None:
    """Read a line back; None for one that is damaged. Fields of a newer Autopack are left out."""
    try:
        document = json.loads(line)
        known = {name: value for name, value in document.items() if name in _NAMES}
        return RunFacts(**{**known, "state": RunState(known["state"])})
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
