"""Sessions of people who logged in: the browser has a random name, the token stays here, in memory."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from cachetools import TTLCache

COOKIE = "autopack_session"
LIVES_SECONDS = 8 * 3600.0
_MOST = 1000


class Sessions:
    """Tokens by session. Lost with the process: people log in again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._tokens: TTLCache[str, str] = TTLCache(_MOST, LIVES_SECONDS, clock)

    def begin(self, token: str) -> str:
        """Return the name of a new session."""
        name = secrets.token_urlsafe(32)
        self._tokens[name] = token
        return name

    def token(self, name: str) -> str | None:
        """Return a session's token, None when there is no such session (any more)."""
        return self._tokens.get(name)

    def end(self, name: str) -> None:
        """Forget a session."""
        self._tokens.pop(name, None)
