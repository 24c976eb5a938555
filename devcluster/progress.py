"""Progress lines with elapsed seconds, on stderr: stdout is kept for results that scripts read."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

HEARTBEAT_SECONDS = 8.0
"""Nobody should have to wonder whether a command hangs, also where the output is a log and not a terminal."""


class Progress:
    """Prints what is being done, each line with the seconds since the command began."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._last_line = self._began

    def say(self, text: str) -> None:
        """Print one line."""
        now = time.monotonic()
        print(f"[{now - self._began:6.1f}s] {text}", file=sys.stderr, flush=True)
        self._last_line = now

    def heartbeat(self, text: Callable[[], str]) -> None:
        """Print a line when the last one is several seconds old; call it often."""
        if time.monotonic() - self._last_line >= HEARTBEAT_SECONDS:
            self.say(text())
