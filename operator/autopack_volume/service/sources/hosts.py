"""Servers that do not answer keep nobody waiting but those who ask for them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from autopack_volume.service.answers import TransientError
from autopack_volume.service.credentials.addresses import parse

_T = TypeVar("_T")
_Server = tuple[str, str, int | None]
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 300.0
_MAX_REMEMBERED = 1000
_SAYS_NOTHING = frozenset({"FetchFailed", "FetchTimeout", "PushFailed", "PushTimeout"})


class Hosts:
    """Lets fetches through, by server. Only those of servers that have answered before may take up all threads: of all
    others at most `doubtful` run at once. A server that fails is left alone for 5 seconds, then for twice as long each
    time, and for 5 minutes at most.
    """

    def __init__(self, doubtful: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._doubtful = asyncio.Semaphore(doubtful)
        self._monotonic = monotonic
        self._good: set[_Server] = set()
        self._failures: dict[_Server, tuple[int, float]] = {}

    async def reach(self, url: str, fetch: Callable[[], Awaitable[_T]]) -> _T:
        """Return what `fetch` returns; TransientError HostUnreachable while the server is left alone."""
        address = parse(url)
        if address is None:
            return await fetch()
        server = address.server
        if server in self._good:
            return await self._watched(server, fetch)
        async with self._doubtful:
            count, until = self._failures.get(server, (0, 0.0))
            if (left := until - self._monotonic()) > 0:
                message = f"{address.host} did not answer {count} times in a row; the next try is in {left:.0f} s"
                raise TransientError("HostUnreachable", message)
            return await self._watched(server, fetch)

    async def _watched(self, server: _Server, fetch: Callable[[], Awaitable[_T]]) -> _T:
        try:
            result = await fetch()
        except TransientError as error:
            if error.reason in _SAYS_NOTHING:
                self._failed(server)
            raise
        self._failures.pop(server, None)
        _make_room(self._good)
        self._good.add(server)
        return result

    def _failed(self, server: _Server) -> None:
        self._good.discard(server)
        count = self._failures.get(server, (0, 0.0))[0] + 1
        pause = min(_FIRST_PAUSE * 2 ** min(count - 1, 10), _LONGEST_PAUSE)
        _make_room(self._failures)
        self._failures[server] = (count, self._monotonic() + pause)


def _make_room(memory: set[_Server] | dict[_Server, tuple[int, float]]) -> None:
    """Forget all when there are too many: anybody can name servers, and to forget one costs no more than a try."""
    if len(memory) >= _MAX_REMEMBERED:
        memory.clear()
