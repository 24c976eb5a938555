"""Tells open pages when there is something new: one question to the database for all of them, every few seconds."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator

from autopack.errors import AutopackError

INTERVAL_SECONDS = 2.0


class Changes:
    """`version` returns a text that differs when anything has changed. Nobody listening, nobody asks."""

    def __init__(self, version: Callable[[], Awaitable[str]], interval: float = INTERVAL_SECONDS) -> None:
        self._version, self._interval = version, interval
        self._listeners: set[asyncio.Event] = set()
        self._somebody = asyncio.Event()

    @contextlib.contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        """Yield an event that is set at each change; whoever waited clears it."""
        event = asyncio.Event()
        self._listeners.add(event)
        self._somebody.set()
        try:
            yield event
        finally:
            self._listeners.discard(event)
            if not self._listeners:
                self._somebody.clear()

    async def run(self) -> None:
        """Ask until canceled."""
        last: str | None = None
        while True:
            await self._somebody.wait()
            # A database that is away says nothing new; the page says that it is away when it is loaded.
            with contextlib.suppress(AutopackError):
                now = await self._version()
                if last is not None and now != last:
                    for event in self._listeners:
                        event.set()
                last = now
            await asyncio.sleep(self._interval)
