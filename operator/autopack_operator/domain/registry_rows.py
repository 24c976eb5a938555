"""Runs and batches as rows of the registry. Pure, and total: whatever stands in a status gives a row that fits.

The same status always gives the same rows, whenever and however often it is seen: that is what makes the registry a
projection that can be lost and made again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, NamedTuple

from autopack.agents.usage import to_json
from autopack.errors import printable
from autopack.phases import Phase
from autopack.registry.events import BatchEvent, BatchRecord, RunEvent, RunRecord
from autopack_operator.domain import usage
from autopack_operator.domain.api.status import AutopackRunStatus, ReportedUsage
from autopack_operator.domain.keys import Kind
from autopack_operator.domain.projection import PROMPT_BEGINNING
from autopack_operator.domain.times import parse
from autopack_operator.domain.views import BatchView, RunView

_STATES = {str(state): state for state in Phase}
_ORDER = (Phase.PENDING, Phase.PREPARING, Phase.RUNNING, Phase.FINISHING)
_LONGEST_MESSAGE = 2048
_LONGEST_PROMPT = 280


def run_event(run: RunView, installation: str) -> RunEvent:
    """The run's row, and this step of its history.

    The step is numbered by its content, so that seeing it again adds nothing; the row is ordered by resourceVersion.
    """
    status = run.status
    created = _time(run.created_at) or _EPOCH
    at = _latest(status) or created
    batch = run.owner.name if run.owner is not None and run.owner.kind == Kind.BATCH else None
    asked = _asked(run.spec)
    facts = RunRecord(
        run_id=run.name,
        attempt=max(0, status.attempt),
        state=_STATES.get(status.phase, Phase.PENDING),
        at=at,
        batch_id=_text(batch, 253),
        reason=_text(status.reason, 128),
        message=_text(status.message, _LONGEST_MESSAGE),
        exit_code=status.exit_code,
        branch=_text(status.branch, 255),
        base_sha=_text(status.sha, 64),
        head_sha=_text(status.commit, 64),
        snapshot_sha=_text(status.snapshot, 64),
        workspace=_text(status.workspace, 512),
        artifacts=_text(status.artifacts, 512),
        started_at=_time(status.started_at),
        finished_at=_time(status.finished_at),
        installation=installation,
        created_at=created,
        ref=_text(status.ref, 512),
        repository_key=_text(status.repository_key, 128),
        manifest_sha256=_text(status.manifest_sha256, 64),
        conditions=_conditions(status),
        usage=_usage(status.usage),
        summary=_text(status.summary, 256),
        agent=asked.agent,
        model=asked.model,
        prompt=asked.prompt,
    )
    return RunEvent(run.uid, _sequence(facts), facts, _version(run.resource_version))


def earlier_attempt_event(run: RunView, attempt: Mapping[str, object], installation: str) -> RunEvent | None:
    """What the volume's records tell of an attempt before the run's last; None for what is no such attempt.

    For a history that was lost: the run's status no longer tells of it.
    """
    number, committed = attempt.get("attempt"), attempt.get("commit")
    if not isinstance(number, int) or not 0 < number < run.status.attempt or attempt.get("uid") != run.uid:
        return None
    left = committed if isinstance(committed, dict) else {}
    code = left.get("exitCode")
    created = _time(run.created_at) or _EPOCH
    facts = RunRecord(
        run_id=run.name,
        attempt=number,
        state=Phase.FAILED,
        at=created,
        batch_id=_text(run.owner.name, 253) if run.owner is not None and run.owner.kind == Kind.BATCH else None,
        reason="Retried",
        message="read from the volume's records",
        exit_code=code if isinstance(code, int) else None,
        branch=_said(attempt, "branch", 255),
        base_sha=_said(attempt, "baseSha", 64),
        head_sha=_said(left, "head", 64),
        snapshot_sha=_said(left, "snapshot", 64),
        installation=installation,
        created_at=created,
        ref=_said(left, "ref", 512),
        repository_key=_said(attempt, "repoKey", 128),
        manifest_sha256=_said(left, "manifestSha256", 64),
    )
    sequence = int(parse(created).timestamp()) << 30 | min(number, 63) << 24 | (len(_ORDER) + 1) << 21
    # Its version is below every real one: the run's row tells of its last attempt.
    return RunEvent(run.uid, sequence, facts, -1)


class _Asked(NamedTuple):
    """Which agent a run names, and how its prompt begins, or where it is from."""

    agent: str | None
    model: str | None
    prompt: str | None


def _asked(spec: object) -> _Asked:
    stored = spec if isinstance(spec, Mapping) else {}
    agent, source, prompt = _part(stored, "agent"), _part(stored, "promptFrom"), stored.get("prompt")
    key = _part(source, "configMapKeyRef")
    place = f"{key.get('key')} of ConfigMap {key.get('name')}" if key else _said(source, "file", _LONGEST_PROMPT)
    beginning = " ".join(prompt[:PROMPT_BEGINNING].split()) if isinstance(prompt, str) else place
    return _Asked(_said(agent, "name", 63), _said(agent, "model", 200), _text(beginning, _LONGEST_PROMPT))


def _part(document: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = document.get(name)
    return found if isinstance(found, Mapping) else {}


def _said(document: Mapping[str, object], name: str, limit: int) -> str | None:
    value = document.get(name)
    return _text(value, limit) if isinstance(value, str) else None


def batch_event(batch: BatchView, installation: str) -> BatchEvent:
    """The batch's row."""
    status = batch.status
    workers = batch.spec.get("workers", 3)
    facts = BatchRecord(
        batch_id=batch.name,
        state=printable(status.phase or Phase.PENDING, 16),
        installation=installation,
        created_at=_time(batch.created_at) or _EPOCH,
        reason=_text(status.reason, 128),
        message=_text(status.message, _LONGEST_MESSAGE),
        workers=status.effective_workers or (workers if isinstance(workers, int) else 0),
        total=status.total,
        pending=status.pending,
        active=status.active,
        succeeded=status.succeeded,
        failed=status.failed,
        started_at=_time(status.started_at),
        finished_at=_time(status.finished_at),
        usage=_usage(status.usage),
    )
    return BatchEvent(batch.uid, _version(batch.resource_version), facts)


_EPOCH = datetime.fromtimestamp(0, UTC).isoformat()


def _usage(reported: ReportedUsage | None) -> dict[str, Any] | None:
    used = usage.numbers(reported)
    return to_json(used) if used.known else None


def _conditions(status: AutopackRunStatus) -> list[dict[str, str]]:
    return [
        {
            "type": printable(condition.type, 64),
            "status": condition.status,
            "reason": printable(condition.reason, 128),
            "message": printable(condition.message, _LONGEST_MESSAGE),
            "at": _time(condition.last_transition_time) or "",
        }
        for condition in status.conditions
    ]


def _latest(status: AutopackRunStatus) -> str | None:
    """When the status last changed, as far as it tells."""
    times = [status.started_at, status.finished_at, *(each.last_transition_time for each in status.conditions)]
    return max(filter(None, map(_time, times)), default=None)


def _sequence(facts: RunRecord) -> int:
    """A number that grows with time, attempt and phase, in 63 bits: 33 of seconds, 6 + 3 of progress, 21 of digest.

    The digest is that of the row: what changes in a status without being in the row is no step.
    """
    seconds = max(0, int(parse(facts.at).timestamp())) & ((1 << 33) - 1)
    between_attempts = facts.state is Phase.PENDING and facts.attempt > 0
    place = len(_ORDER) if between_attempts or facts.state not in _ORDER else _ORDER.index(facts.state)
    content = json.dumps(asdict(facts), sort_keys=True)
    digest = int.from_bytes(hashlib.sha256(content.encode()).digest()[:3], "big") >> 3
    return seconds << 30 | min(facts.attempt, 63) << 24 | place << 21 | digest


def _version(resource_version: str) -> int:
    return int(resource_version) if resource_version.isdecimal() else 0


def _text(text: str | None, limit: int) -> str | None:
    return printable(text, limit) if text else None


def _time(text: str | None) -> str | None:
    """One spelling for one moment; None for what is no time."""
    try:
        moment = parse(text) if text else None
    except ValueError:
        return None
    return moment.astimezone(UTC).isoformat() if moment is not None and moment.tzinfo is not None else None
