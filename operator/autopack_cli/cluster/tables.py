"""Runs and batches as rows of text: pure. Nothing that a user or a run wrote can change what a terminal does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from autopack.errors import printable
from autopack.measures import duration
from autopack.phases import TERMINAL_PHASES, Phase
from autopack_operator.domain.api.common import BATCH_LABEL, JsonDict
from autopack_operator.domain.times import parse, seconds_between

Row = Sequence[str]
Column = tuple[str, Callable[[JsonDict, datetime], object]]

_GAP = "   "
_LONGEST = 100


def status(body: JsonDict, name: str) -> str:
    """Return a field of an object's status as text; empty when it is not there."""
    found = (body.get("status") or {}).get(name)
    return "" if found is None else str(found)


def count(body: JsonDict, name: str) -> int:
    """Return a number of an object's status; 0 when it is not there."""
    found = (body.get("status") or {}).get(name)
    return found if isinstance(found, int) else 0


def terminal(body: JsonDict) -> bool:
    """Tell whether a run or batch is finished."""
    return status(body, "phase") in TERMINAL_PHASES


def lasted(body: JsonDict, now: datetime) -> str:
    """Return how long a run or batch took, or has taken so far; empty before it started."""
    started, ended = status(body, "startedAt"), status(body, "finishedAt")
    return duration(seconds_between(started, parse(ended) if ended else now)) if started else ""


def _age(body: JsonDict, now: datetime) -> str:
    created = body["metadata"].get("creationTimestamp")
    return duration(seconds_between(str(created), now)) if created else ""


def _of(name: str) -> Callable[[JsonDict, datetime], object]:
    return lambda body, _: status(body, name)


def _of_agent(field: str) -> Callable[[JsonDict, datetime], object]:
    return lambda body, _: ((body.get("spec") or {}).get("agent") or {}).get(field, "")


def _phase(body: JsonDict, _: datetime) -> object:
    return status(body, "phase") or Phase.PENDING


def _name(body: JsonDict, _: datetime) -> object:
    return body["metadata"]["name"]


def _used(name: str) -> Callable[[JsonDict, datetime], object]:
    def value(body: JsonDict, _: datetime) -> object:
        usage = (body.get("status") or {}).get("usage")
        found = usage.get(name) if isinstance(usage, dict) else None
        return "" if found is None else found

    return value


def _of_delivery(*names: str) -> Callable[[JsonDict, datetime], object]:
    def value(body: JsonDict, _: datetime) -> object:
        found: object = (body.get("status") or {}).get("delivery")
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        return "" if found is None else found

    return value


USAGE: tuple[Column, ...] = (("TOKENS", _used("totalTokens")), ("COST", _used("costUSD")))
RUN: tuple[Column, ...] = (
    ("NAME", _name),
    ("PHASE", _phase),
    ("REASON", _of("reason")),
    ("ATTEMPT", lambda body, _: count(body, "attempt") or ""),
    ("BATCH", lambda body, _: (body["metadata"].get("labels") or {}).get(BATCH_LABEL, "")),
    ("DURATION", lasted),
    ("AGE", _age),
)
RUN_WIDE: tuple[Column, ...] = (
    *RUN,
    *USAGE,
    ("EXIT", _of("exitCode")),
    ("AGENT", _of_agent("name")),
    ("MODEL", _of_agent("model")),
    ("BRANCH", _of("branch")),
    ("COMMIT", lambda body, _: status(body, "commit")[:12]),
    ("DELIVERY", _of_delivery("state")),
    ("PULL REQUEST", _of_delivery("pullRequest", "url")),
    ("MESSAGE", _of("message")),
    ("SUMMARY", _of("summary")),
)
BATCH: tuple[Column, ...] = (
    ("NAME", _name),
    ("PHASE", _phase),
    ("PROGRESS", _of("progress")),
    ("ACTIVE", _of("active")),
    ("SUCCEEDED", _of("succeeded")),
    ("FAILED", _of("failed")),
    ("DURATION", lasted),
    ("AGE", _age),
)
BATCH_WIDE: tuple[Column, ...] = (
    *BATCH,
    *USAGE,
    ("DELIVERED", _of_delivery("delivered")),
    ("WORKERS", _of("effectiveWorkers")),
    ("REASON", _of("reason")),
    ("MESSAGE", _of("message")),
)


def table(columns: Sequence[Column], bodies: Iterable[JsonDict], now: datetime) -> list[str]:
    """Return a table of objects as lines, the header first."""
    rows = [[_shown(value(body, now)) for _, value in columns] for body in bodies]
    return aligned([[title for title, _ in columns], *rows])


def aligned(rows: Sequence[Row]) -> list[str]:
    """Return rows of text as lines whose columns stand below each other."""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))] if rows else []
    return [_GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _shown(value: object) -> str:
    return printable(str(value), _LONGEST)
