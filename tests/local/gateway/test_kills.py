"""The gateway is killed where it reserves, forwards and settles: what it has recorded is never below what was spent."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest
from tests.doubles.models.script import Usage
from tests.local.gateway.gateways import KEY, OPERATOR, double, messages_body, providers, serving

from autopack.failpoints import VARIABLE
from autopack_gateway.client.client import GatewayClient

KILLS = int(os.environ.get("AUTOPACK_GATEWAY_KILLS", "5"))
POINTS = ("gateway.reserved", "gateway.forwarded", "gateway.streaming", "gateway.before_settle", "gateway.settled")
USED = Usage(input=900, output=40)
EACH = (900 * Decimal(3) + 40 * Decimal(15)) / 1_000_000


@contextlib.asynccontextmanager
async def process(folder: Path, declared: Path, failpoint: str = "") -> AsyncIterator[str]:
    """Start a gateway that dies at a failpoint; yields its address."""
    environment = {**os.environ, **({VARIABLE: f"{failpoint}:kill"} if failpoint else {})}
    one = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.local.gateway.serve",
        str(folder),
        str(declared),
        stdout=asyncio.subprocess.PIPE,
        env=environment,
    )
    assert one.stdout is not None
    try:
        async for line in one.stdout:
            if line.startswith(b"at "):
                yield line.split()[1].decode()
                break
        else:
            pytest.fail("the gateway did not start")
        if not failpoint:
            one.terminate()
    finally:
        if one.returncode is None and failpoint:
            with contextlib.suppress(ProcessLookupError):
                one.kill()
        await one.communicate()


@pytest.mark.timeout(120 + 60 * KILLS)
async def test_what_is_recorded_is_never_below_what_was_spent(tmp_path: Path) -> None:
    token, declared, folder = tmp_path / "token", tmp_path / "providers.json", tmp_path / ".gateway"
    token.write_text(OPERATOR)

    async def asked(session: aiohttp.ClientSession, url: str, *, stream: bool) -> None:
        """Ask as a run does, until the gateway is gone."""
        told = {"Authorization": "Bearer pod"}
        with contextlib.suppress(aiohttp.ClientError):
            while True:
                body = messages_body(stream=stream, most=50)
                async with session.post(f"{url}/p/claude/v1/messages", json=body, headers=told) as answer:
                    await answer.read()

    async with serving(double(used=USED).app()) as upstream, aiohttp.ClientSession() as session:
        declared.write_bytes(providers(upstream, tmp_path / "key"))

        async def spent() -> tuple[int, Decimal]:
            async with session.get(f"{upstream}/double/counts") as answer:
                answered = (await answer.json())[KEY]["answered"]
            return answered, answered * EACH

        for number, point in zip(range(KILLS), itertools.cycle(POINTS), strict=False):
            async with process(folder, declared, point) as url, GatewayClient(url, token) as client:
                with contextlib.suppress(Exception):
                    await client.grant(
                        {
                            "uid": "run",
                            "attempt": 1,
                            "podUid": "pod",
                            "runName": "run",
                            "batch": "",
                            "providers": [{"name": "claude", "models": []}],
                            "budgets": [],
                            "priority": 0,
                        }
                    )
                await asyncio.gather(*(asked(session, url, stream=(number + one) % 2 == 0) for one in range(3)))
        async with process(folder, declared) as url, GatewayClient(url, token) as client:
            (run,) = (await client.spent())["runs"]
            answered, usd = await spent()
    print(f"{KILLS} kills: {answered} answers for {usd} USD, recorded {run['requests']} for {run['costUSD']} USD")
    assert answered >= KILLS * 0.5
    assert Decimal(run["costUSD"]) >= usd
    assert run["requests"] >= answered
    assert run["requests"] <= answered + 3 * KILLS
