"""What there is to say about a batch under way: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from autopack.errors import printable
from autopack.measures import duration
from autopack.phases import Phase
from autopack_cli.cluster.tables import count, lasted, status, terminal
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.times import seconds_between

_WIDTH = 30


def state_of(body: JsonDict) -> str:
    """Return what is worth a line when it changes: phase, reason and attempt."""
    phase, reason, attempt = status(body, "phase"), status(body, "reason"), count(body, "attempt")
    said = phase or Phase.PENDING
    if reason and reason != phase and reason != "Completed":
        said += f" ({reason})"
    return said + (f", attempt {attempt}" if attempt > 1 else "")


def changes(before: Mapping[str, str], runs: Iterable[JsonDict], now: datetime) -> list[str]:
    """Return a line for each run whose state is not what it was."""
    lines = []
    for body in runs:
        name, state = str(body["metadata"]["name"]), state_of(body)
        if before.get(name) != state:
            took = f" after {lasted(body, now)}" if terminal(body) and lasted(body, now) else ""
            told = status(body, "summary" if status(body, "phase") == Phase.SUCCEEDED else "message")
            why = f": {told}" if terminal(body) and told else ""
            lines.append(printable(f"{name}: {state}{took}{why}", 500))
    return lines


def ended(batch: JsonDict) -> int:
    """Return how many runs of a batch are finished."""
    return count(batch, "succeeded") + count(batch, "failed")


def left_seconds(batch: JsonDict, now: datetime) -> float | None:
    """Return the seconds that are probably left: as fast as so far. None before the first run has ended."""
    done, total, started = ended(batch), count(batch, "total"), status(batch, "startedAt")
    if not done or not started or terminal(batch):
        return None
    return seconds_between(started, now) / done * (total - done)


def summary(body: JsonDict, now: datetime) -> str:
    """Say on one line how far a batch or a run is."""
    phase = status(body, "phase") or Phase.PENDING
    if body.get("kind") != "RunBatch":
        took = lasted(body, now)
        return f"{state_of(body)}{f', {took}' if took else ''}"
    done, total = ended(body), count(body, "total")
    left = left_seconds(body, now)
    parts = [
        f"{phase} {bar(done, total)} {done}/{total}",
        f"{count(body, 'active')} active",
        f"{count(body, 'failed')} failed",
        *([lasted(body, now)] if lasted(body, now) else []),
        *([f"about {duration(left)} left"] if left is not None else []),
    ]
    return ", ".join(parts)


def bar(done: int, total: int) -> str:
    """`[#####     ]`: in ASCII, for any terminal."""
    filled = _WIDTH * done // total if total else 0
    return f"[{'#' * filled}{' ' * (_WIDTH - filled)}]"
