"""A gateway as a process of its own, for tests that kill it: `python -m tests.local.gateway.serve FOLDER PROVIDERS`."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from tests.local.gateway.gateways import gateway


async def serve(folder: Path, declared: bytes) -> None:
    """Serve until SIGTERM; prints the address when it is active."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with gateway(folder, declared) as ours:
        sys.stdout.write(f"at {ours.url}\n")
        sys.stdout.flush()
        await ended.wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), Path(sys.argv[2]).read_bytes()))
