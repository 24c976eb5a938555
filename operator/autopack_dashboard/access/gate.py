"""The port to whoever knows people, and a memory of its answers."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Protocol

from cachetools import TLRUCache

_MOST = 1000


class DeniedError(Exception):
    """No: 401 for a token that proves nothing, 403 for somebody without the right, 503 when nobody can tell."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Gate(Protocol):
    """Tells whether the bearer of a token may look at the runs."""

    async def admit(self, token: str) -> str:
        """Return the bearer's name; raise DeniedError."""
        ...


class RememberingGate:
    """Asks another gate, and remembers a yes for `seconds`, a no for less; never that it could not tell."""

    def __init__(
        self, gate: Gate, seconds: float = 60.0, no_seconds: float = 5.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        def until(_: bytes, answer: str | DeniedError, now: float) -> float:
            return now + (no_seconds if isinstance(answer, DeniedError) else seconds)

        self._gate = gate
        self._known: TLRUCache[bytes, str | DeniedError] = TLRUCache(_MOST, until, clock)

    async def admit(self, token: str) -> str:
        """See Gate."""
        # What is kept in memory for long is not the token.
        key = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        answer = self._known.get(key)
        if answer is None:
            answer = await self._ask(token)
            if not (isinstance(answer, DeniedError) and answer.status == 503):
                self._known[key] = answer
        if isinstance(answer, DeniedError):
            raise DeniedError(answer.status, str(answer))
        return answer

    async def _ask(self, token: str) -> str | DeniedError:
        try:
            return await self._gate.admit(token)
        except DeniedError as error:
            return error
