"""Answers of the API server -> the port's exceptions. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from autopack_operator.ports.cluster import (
    AlreadyExistsError,
    ConflictError,
    ForbiddenError,
    GoneError,
    RejectedError,
    TransientError,
    UnauthorizedError,
)

MAX_MESSAGE = 1024


class TooManyRequestsError(TransientError):
    """The request was refused without being executed (429); the server wants to be left alone for `wait_seconds`."""

    def __init__(self, message: str, wait_seconds: float) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


def failure(code: int, status: Mapping[str, Any], headers: Mapping[str, str], what: str) -> Exception:
    """The port's exception for an HTTP status and the Status object that came with it. `what` was asked."""
    reason, text = str(status.get("reason") or ""), str(status.get("message") or code)
    message = f"{what}: {text}"[:MAX_MESSAGE]
    if code == 409:
        return AlreadyExistsError(message) if reason == "AlreadyExists" else ConflictError(message)
    if code == 404:
        return GoneError(message)
    if code == 429:
        return TooManyRequestsError(message, _seconds(headers.get("Retry-After", "1")))
    # 401: the token was rotated under us; the next request reads the new one. A quota has room again when others end.
    if code == 401:
        return UnauthorizedError(message)
    # 410: what was asked for is too old (a page of a list). It says nothing about whether an object is there.
    if code in {408, 410} or code >= 500 or (code == 403 and "exceeded quota" in text):
        return TransientError(message)
    return ForbiddenError(message) if code == 403 else RejectedError(message)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        return 1.0
    return max(seconds, 0.1) if math.isfinite(seconds) else 1.0
