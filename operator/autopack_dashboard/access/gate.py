"""The port to whoever knows people, and a memory of its answers."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

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
        self._gate, self._seconds, self._no_seconds, self._clock = gate, seconds, no_seconds, clock
        self._known: OrderedDict[bytes, tuple[float, str | DeniedError]] = OrderedDict()

    async def admit(self, token: str) -> str:
        """See Gate."""
        # What is kept in memory for long is not the token.
        key = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        until, answer = self._known.get(key, (float("-inf"), ""))
        if self._clock() >= until:
            answer = await self._ask(token)
            if not (isinstance(answer, DeniedError) and answer.status == 503):
                seconds = self._no_seconds if isinstance(answer, DeniedError) else self._seconds
                self._known[key] = (self._clock() + seconds, answer)
                self._known.move_to_end(key)
                while len(self._known) > _MOST:
                    self._known.popitem(last=False)
        if isinstance(answer, DeniedError):
            raise DeniedError(answer.status, str(answer))
        return answer

    async def _ask(self, token: str) -> str | DeniedError:
        try:
            return await self._gate.admit(token)
        except DeniedError as error:
            return error
