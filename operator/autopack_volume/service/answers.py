"""What callers get: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autopack.errors import AutopackError
from autopack_volume.contract.messages import Committed, Failure, Pending, Ready

Json = Mapping[str, object]


class TransientError(AutopackError):
    """The same request may succeed later; nothing was decided."""


@dataclass(frozen=True)
class Answer:
    """An HTTP status and a JSON body."""

    status: int
    body: Json


_PENDING: Pending = {"state": "pending"}
PENDING = Answer(202, _PENDING)


def failure(reason: str, message: str) -> Failure:
    """Return the body of a refusal."""
    return {"state": "failed", "reason": reason, "message": message}


def final(body: Ready | Committed | Failure) -> Answer:
    """Say what stays true (200), or that it failed for good (422): asking again would get the same answer."""
    return Answer(422 if body["state"] == "failed" else 200, body)


def failed(error: AutopackError) -> Answer:
    """Say that it failed for good."""
    return final(failure(error.reason, str(error)))


def transient(reason: str, message: str) -> Answer:
    """Say that it may work later (503)."""
    return Answer(503, failure(f"Transient{reason}", message))
