"""One fetch per mirror at a time, shared by all who wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class Refresher:
    """Coalesces refreshes by key: whoever asks gets the result of a refresh that began after asking."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Task[None]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def lock(self, key: str) -> asyncio.Lock:
        """Return the lock under which the key's refreshes run, for others that must not run beside them."""
        return self._locks.setdefault(key, asyncio.Lock())

    async def refresh(self, key: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work`, or join those who wait for theirs to begin; raises what it raises."""
        task = self._waiting.get(key)
        if task is None:
            task = asyncio.create_task(self._run(key, work))
            self._waiting[key] = task
        await asyncio.shield(task)

    async def _run(self, key: str, work: Callable[[], Awaitable[None]]) -> None:
        async with self.lock(key):
            # From here on the work may miss what happens now: the next one to ask needs another.
            self._waiting.pop(key, None)
            await work()
