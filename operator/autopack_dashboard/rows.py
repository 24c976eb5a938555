"""The registry's rows for the pages: read in a few threads, so that a slow database stops no other page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from autopack.registry.reader import BatchSummary, Cursor, RegistryReader, RunDetail, RunFilter, RunSummary

T = TypeVar("T")
_THREADS = 4


class Rows:
    """RegistryReader, awaitable. Methods raise AutopackError."""

    def __init__(self, reader: RegistryReader) -> None:
        self._reader = reader
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="rows")

    async def runs(self, wanted: RunFilter, after: Cursor | None, limit: int) -> list[RunSummary]:
        """Return a page of runs."""
        return await self._do(lambda: self._reader.runs(wanted, after, limit))

    async def count_by_state(self, wanted: RunFilter) -> dict[str, int]:
        """Return how many runs there are in each state."""
        return await self._do(lambda: self._reader.count_by_state(wanted))

    async def run(self, scope: str, run_id: str) -> RunDetail | None:
        """Return everything about one run."""
        return await self._do(lambda: self._reader.run(scope, run_id))

    async def batches(self, after: str | None, limit: int) -> list[BatchSummary]:
        """Return a page of batches."""
        return await self._do(lambda: self._reader.batches(after, limit))

    async def batch(self, batch_id: str) -> BatchSummary | None:
        """Return the newest batch of that name."""
        return await self._do(lambda: self._reader.batch(batch_id))

    async def version(self) -> str:
        """Return a text that changes whenever a row does."""
        return await self._do(self._reader.version)

    def close(self) -> None:
        """Close all connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._reader.close()

    async def _do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
