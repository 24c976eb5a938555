"""Sessions of people who logged in: the browser has a random name, the token stays here, in memory."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

COOKIE = "autopack_session"
LIVES_SECONDS = 8 * 3600.0
_MOST = 1000


class Sessions:
    """Tokens by session. Lost with the process: people log in again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tokens: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def begin(self, token: str) -> str:
        """Return the name of a new session."""
        name = secrets.token_urlsafe(32)
        self._tokens[name] = (self._clock() + LIVES_SECONDS, token)
        while len(self._tokens) > _MOST:
            self._tokens.popitem(last=False)
        return name

    def token(self, name: str) -> str | None:
        """Return a session's token, None when there is no such session (any more)."""
        until, token = self._tokens.get(name, (float("-inf"), ""))
        if self._clock() >= until:
            self._tokens.pop(name, None)
            return None
        return token

    def end(self, name: str) -> None:
        """Forget a session."""
        self._tokens.pop(name, None)
