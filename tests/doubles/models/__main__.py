"""`python -m tests.doubles.models --port 8080 --key KEY --script script.json`: the double until it is stopped."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from aiohttp import web

from tests.doubles.models.script import parse
from tests.doubles.models.server import Double

DEFAULT = {
    "default": [
        {
            "text": "I write a file and commit it.",
            "shell": "echo 'written by a model' > MODEL.md && git add MODEL.md && git commit -qm 'Add MODEL.md'",
        },
        {"text": "The file is committed."},
    ]
}


async def serve(double: Double, host: str, port: int) -> None:
    """Serve until cancelled; prints the port once it answers."""
    runner = web.AppRunner(double.app())
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.doubles.models", description="A double of the model APIs.")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="0, the default, is any free one; it is printed")
    parser.add_argument("--key", action="append", required=True, help="a key that is valid; may be given again")
    parser.add_argument("--script", type=Path, help="JSON file: turns by model (default: one file, one commit)")
    parser.add_argument("--seconds", type=float, default=0, help="how long the model thinks (default: %(default)s)")
    options = parser.parse_args()
    script = parse(json.loads(options.script.read_text()) if options.script else DEFAULT)
    asyncio.run(serve(Double(script, options.key, seconds=options.seconds), options.host, options.port))


if __name__ == "__main__":
    main()
