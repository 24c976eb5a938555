"""Serves a publisher that the environment configures, and prints its port; for a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys

from aiohttp import web

from autopack_publisher.service.http import Service
from autopack_publisher.service.settings import Settings


class Anybody:
    """A verifier for a test's own machine."""

    async def verify(self, token: str) -> str:
        return token

    async def ready(self) -> bool:
        return True


async def serve() -> None:
    """Serve until killed."""
    runner = web.AppRunner(Service(Settings.from_environment(os.environ), Anybody()).app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
