"""What happened to a run, in the form in which it is kept on disk and sent to the registry. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from autopack.phases import Phase
from autopack.unsaved import Saved, Unsaved


@dataclass(frozen=True)
class RunRecord:
    """The state of a run after something happened to it; what is not known (yet) is None.

    Times are ISO 8601 in UTC, `message` is one printable line. `workspace` and `artifacts` are absolute paths; of a run
    in a cluster paths on the volume. `ref` is where what was saved can be found. `installation`, `created_at`,
    `repository_key` and `manifest_sha256` are those of runs in a cluster. `saved` and `unsaved` tell of a run that has
    ended; the registry keeps them as the condition WorkSaved. `history_ref`, which only a local run's result.json has,
    is where that is of its work which is neither committed nor a file. `usage` is what the run's agent used in all its
    attempts so far, as agents/usage.py has it in JSON; `summary` is what it said last, on one line. `agent` and `model`
    are the names under which it was asked, `prompt` is how the prompt begins, or where it is from.
    """

    run_id: str
    attempt: int
    state: Phase
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
    installation: str | None = None
    created_at: str | None = None
    ref: str | None = None
    repository_key: str | None = None
    manifest_sha256: str | None = None
    conditions: list[dict[str, str]] | None = None
    saved: Saved = "all"
    unsaved: tuple[Unsaved, ...] = ()
    history_ref: str | None = None
    usage: dict[str, Any] | None = None
    summary: str | None = None
    agent: str | None = None
    model: str | None = None
    prompt: str | None = None


@dataclass(frozen=True)
class RunEvent:
    """Facts with their place in the run's history: a higher `sequence` of the same scope and run is newer.

    `scope` tells apart equal run ids of different folders of runs that share one database; a run in a cluster is a
    scope of its own, its UID, for names come back. `version` orders the run's row where that is not by `sequence`.
    """

    scope: str
    sequence: int
    facts: RunRecord
    version: int | None = None


@dataclass(frozen=True)
class BatchRecord:
    """The newest state of a batch in a cluster. Times are ISO 8601 in UTC, `message` is one printable line. `usage` is
    that of its finished runs together.
    """

    batch_id: str
    state: str
    installation: str
    created_at: str
    reason: str | None = None
    message: str | None = None
    workers: int = 0
    total: int = 0
    pending: int = 0
    active: int = 0
    succeeded: int = 0
    failed: int = 0
    started_at: str | None = None
    finished_at: str | None = None
    usage: dict[str, Any] | None = None


@dataclass(frozen=True)
class BatchEvent:
    """Facts about the batch whose UID is `scope`; a higher `version` is newer."""

    scope: str
    version: int
    facts: BatchRecord


_NAMES = frozenset(field.name for field in fields(RunRecord))


def now() -> str:
    """Return the time as it is written in facts."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def encode(facts: RunRecord) -> bytes:
    """Return the facts as one line of JSON."""
    known = {name: value for name, value in asdict(facts).items() if value is not None}
    return json.dumps(known, sort_keys=True).encode("ascii") + b"\n"


def decode(line: bytes) -> RunRecord | None:
    """Read a line back; None for one that is damaged. Fields of a newer Autopack are left out."""
    try:
        return facts_of(json.loads(line))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def facts_of(document: Mapping[str, Any]) -> RunRecord:
    """Read facts from JSON values, fields of a newer Autopack left out; ValueError, TypeError, … for what is none."""
    known = {name: value for name, value in document.items() if name in _NAMES}
    read = {"state": Phase(known["state"]), "unsaved": tuple(known.get("unsaved", ()))}
    return RunRecord(**{**known, **read})
