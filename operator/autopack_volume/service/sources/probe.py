"""Answers GET /v1/source: whether a repository can be fetched, and with which credential."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor

from autopack_volume.service.answers import Answer

from .hosts import Hosts
from .mirrors import Mirrors


class Probe:
    """Asks the other side, as a fetch would, and keeps nothing."""

    def __init__(self, mirrors: Mirrors, hosts: Hosts, threads: Executor) -> None:
        self._mirrors, self._hosts, self._threads = mirrors, hosts, threads

    async def answer(self, url: str) -> Answer:
        """Return Reachable; raise what a fetch would raise."""
        loop = asyncio.get_running_loop()
        work = self._mirrors.probe
        return Answer(200, await self._hosts.reach(url, lambda: loop.run_in_executor(self._threads, work, url)))
