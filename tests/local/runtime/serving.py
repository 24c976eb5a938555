"""Serves a volume in a process of its own, so that a test can kill it: `python serving.py VOLUME`. Prints its port."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from aiohttp import web

from autopack_volume.service.http.service import Service
from autopack_volume.service.settings import Settings


class Anybody:
    """A verifier for a test's own machine."""

    async def verify(self, token: str) -> str:
        return token

    async def ready(self) -> bool:
        return True


async def serve(root: Path) -> None:
    settings = Settings(root=root, protocols=("file",), allow_loopback=True)
    runner = web.AppRunner(Service(settings, Anybody()).app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    os.umask(0o002)
    asyncio.run(serve(Path(sys.argv[1])))
