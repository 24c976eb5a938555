"""What the model gateway adds to the time until the first byte of an answer, with 50 streams at once.

Every worker asks the double of a model API directly and through the gateway, in turn, so that both see the same
machine at the same time. `python -m bench.gateway` prints the figures alone; it needs no cluster.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import aiohttp

from autopack_gateway.client.client import GatewayClient
from autopack_gateway.contract import messages
from bench.figures import Figure, most, table
from bench.parts import Parts
from bench.statistics_of import percentile

STREAMS = 50
ROUNDS = 10
WARM_UP = 4
"""Rounds until the gateway knows that the double takes 50 at once."""
THINKS = 1.0
"""Seconds that the double takes to begin an answer, as models do: so that 50 streams are open, not 50 sent at once."""
KEY = "sk-bench"
RUN = "bench"
BODY = {"model": "m", "max_tokens": 100, "stream": True, "messages": [{"role": "user", "content": "Say it. " * 500}]}


async def first_byte(session: aiohttp.ClientSession, url: str, token: str) -> float:
    """Ask once; return the seconds until the first byte of the stream."""
    began = time.perf_counter()
    async with session.post(f"{url}/v1/messages", json=BODY, headers={"x-api-key": token}) as answer:
        answer.raise_for_status()
        await answer.content.readany()
        took = time.perf_counter() - began
        await answer.read()
    return took


async def measured(rounds: int = ROUNDS) -> list[Figure]:
    """Measure; returns milliseconds."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        async with _both(folder) as (direct, through), aiohttp.ClientSession() as session:
            async with GatewayClient(through, folder / ".gateway.operator") as client:
                await client.grant(_grant())
            pairs: list[tuple[float, float]] = []

            async def work(number: int) -> None:
                # Spread over the double's time to think, so that they do not all begin together.
                await asyncio.sleep(number * THINKS / STREAMS)
                for turn in range(rounds + WARM_UP):
                    one = await first_byte(session, direct, KEY)
                    other = await first_byte(session, f"{through}/p/claude", RUN)
                    if turn >= WARM_UP:
                        pairs.append((one, other))

            await asyncio.gather(*map(work, range(STREAMS)))
    differences = [(other - one) * 1000 for one, other in pairs]
    direct_ms, through_ms = ([pair[which] * 1000 for pair in pairs] for which in (0, 1))
    added = [percentile(through_ms, at) - percentile(direct_ms, at) for at in (50, 99)]
    return [
        Figure(
            "gateway_first_byte_p50_ms", f"gateway: ms on the first byte, {STREAMS} streams, p50", [added[0]], most(5)
        ),
        Figure(
            "gateway_first_byte_p99_ms", f"gateway: ms on the first byte, {STREAMS} streams, p99", [added[1]], most(20)
        ),
        Figure("gateway_first_byte_pairs_ms", "gateway: the same, median of the pairs", [percentile(differences, 50)]),
    ]


def _grant() -> messages.Grant:
    providers = [{"name": "claude", "models": []}]
    budgets = [{"scope": f"run:{RUN}", "usd": "1000000"}]
    common = {"uid": RUN, "attempt": 1, "podUid": RUN, "runName": RUN, "batch": "", "priority": 0}
    return cast("messages.Grant", {**common, "providers": providers, "budgets": budgets})


@contextlib.asynccontextmanager
async def _both(folder: Path) -> AsyncIterator[tuple[str, str]]:
    """Start double and gateway as processes of their own; yields their addresses."""
    key, declared = folder / "key", folder / "providers.json"
    key.write_text(KEY)
    async with _process("tests.doubles.models", "--key", KEY, "--seconds", str(THINKS)) as port:
        upstream = f"http://127.0.0.1:{port}"
        price = {"model": "*", "inputPerMTok": "3", "outputPerMTok": "15"}
        provider = {"name": "claude", "api": "anthropic", "upstream": upstream, "keyFile": str(key), "prices": [price]}
        declared.write_text(json.dumps({"providers": [{**provider, "concurrency": 1000}]}))
        async with _process("tests.local.gateway.serve", str(folder / ".gateway"), str(declared)) as told:
            yield upstream, told.removeprefix("at ")


@contextlib.asynccontextmanager
async def _process(*module_and_arguments: str) -> AsyncIterator[str]:
    """Start a module; yields the first line that is not a log's."""
    one = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *module_and_arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        if one.stdout is None:
            raise RuntimeError("a process without output")
        async for line in one.stdout:
            if not line.startswith(b"{"):
                yield line.decode().strip()
                return
        raise RuntimeError(f"{module_and_arguments[0]} did not start")
    finally:
        with contextlib.suppress(ProcessLookupError):
            one.terminate()
        await one.communicate()


def measure(parts: Parts) -> None:
    """Add the figures to those of a benchmark."""
    with parts.part("gateway"):
        parts.figures.extend(asyncio.run(measured()))


if __name__ == "__main__":
    found = Parts()
    measure(found)
    print(table(found.figures, found.lost))
