"""What callers get: pure."""

from __future__ import annotations

from dataclasses import dataclass

from autopack.errors import AutopackError

Json = dict[str, object]


class TransientError(AutopackError):
    """The same request may succeed later; nothing was decided."""


@dataclass(frozen=True)
class Answer:
    """An HTTP status and a JSON body."""

    status: int
    body: Json


PENDING = Answer(202, {"state": "pending"})


def failed(error: AutopackError) -> Answer:
    """Say that it failed for good (422): asking again would get the same answer."""
    return Answer(422, {"state": "failed", "reason": error.reason, "message": str(error)})


def transient(reason: str, message: str) -> Answer:
    """Say that it may work later (503)."""
    return Answer(503, {"state": "failed", "reason": f"Transient{reason}", "message": message})
