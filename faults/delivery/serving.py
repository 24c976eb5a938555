"""Serves a publisher for a lane: `python -m faults.delivery.serving FOLDER`. Prints its port; lets everybody in."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from aiohttp import web

from autopack_publisher.service.http import Service
from autopack_publisher.service.settings import Settings


class Anybody:
    """A verifier for a lane's own machine."""

    async def verify(self, token: str) -> str:
        """Believe it."""
        return token

    async def ready(self) -> bool:
        """Always."""
        return True


async def serve(folder: Path) -> None:
    """Serve until killed."""
    (folder / "scratch").mkdir(exist_ok=True)
    variables = {
        "AUTONOMOUS_RUNS_DIR": str(folder / "volume"),
        "AUTOPACK_PUBLISHER_CREDENTIALS": str(folder / "publisher" / "credentials.json"),
        "AUTOPACK_ALLOWED_CALLERS": "campaign",
        "AUTOPACK_SCRATCH_DIR": str(folder / "scratch"),
        # Targets on this machine are for tests alone, as `file` is.
        "AUTOPACK_ALLOWED_PROTOCOLS": "https:file",
    }
    runner = web.AppRunner(Service(Settings.from_environment(variables), Anybody()).app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    os.umask(0o002)
    asyncio.run(serve(Path(sys.argv[1])))
