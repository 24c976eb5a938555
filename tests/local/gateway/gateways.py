"""Gateways for tests, over doubles of the model APIs: both in the process of the test, at real addresses."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from tests.doubles.models.script import Script, Turn, Usage
from tests.doubles.models.server import Double

from autopack.service_tokens.tokens import DeniedError
from autopack_gateway.client.client import GatewayClient
from autopack_gateway.contract import messages
from autopack_gateway.service.http.service import Service
from autopack_gateway.service.leadership.leader import Leader
from autopack_gateway.service.leadership.leases import FileKeeper
from autopack_gateway.service.providers import parse
from autopack_gateway.service.settings import Limits

KEY = "sk-the-key-that-pays"
OPERATOR = "the-operator"
QUICK = Limits(patience=120, drain=5, silence=60, backoff=0.01)
MODEL = "model-1"
USED = Usage(input=1000, output=50, cached=200)
PRICES = [{"model": "model-*", "inputPerMTok": "3", "outputPerMTok": "15", "cachedPerMTok": "0.3"}]
COST = "0.00321"
"""Of one answer: (1000 - 200) x 3 + 200 x 0.3 + 50 x 15, in millionths."""


@contextlib.asynccontextmanager
async def serving(app: web.Application, patience: float = 0.5, **options: Any) -> AsyncIterator[str]:
    """Serve an application; yields its address. What is under way at the end has `patience` seconds."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=patience, **options)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def double(*, seconds: float = 0, used: Usage = USED) -> Double:
    """Return a double that says one thing."""
    return Double(Script({"default": [Turn("I have done it.", usage=used)]}), [KEY], seconds=seconds)


def providers(upstream: str, key_file: Path, *, concurrency: int = 64) -> bytes:
    """Return the declaration of a provider for each API, all at the same upstream."""
    key_file.write_text(f"{KEY}\n")
    common = {"keyFile": str(key_file), "prices": PRICES, "concurrency": concurrency, "models": ["model-*", "free-*"]}
    declared = [
        {"name": "claude", "api": "anthropic", "upstream": upstream, **common},
        {"name": "gpt", "api": "openai", "upstream": f"{upstream}/v1", **common},
        {"name": "other", "api": "openai-compatible", "upstream": upstream, **common},
    ]
    return json.dumps({"providers": declared}).encode()


class PlainCallers:
    """Callers whose tokens are simply the names of their pods."""

    def __init__(self, operator: str) -> None:
        self._operator = operator

    async def pod(self, token: str) -> str:
        """See Callers."""
        return token

    async def operator(self, token: str) -> None:
        """See Callers."""
        if token != self._operator:
            raise DeniedError(401, "this token may not send grants")

    async def ready(self) -> bool:
        """See Callers."""
        return True


@dataclass
class Gateway:
    """A gateway that serves."""

    url: str
    client: GatewayClient
    session: aiohttp.ClientSession
    leader: Leader

    async def grant(self, run: str, **more: Any) -> str:
        """Let a run ask for everything; returns its token."""
        grant = {
            "uid": run,
            "attempt": 1,
            "podUid": f"token-of-{run}",
            "runName": run,
            "batch": "",
            "providers": [{"name": name, "models": []} for name in ("claude", "gpt", "other")],
            "budgets": [],
            "priority": 0,
            **more,
        }
        await self.client.grant(grant)  # type: ignore[arg-type]
        return str(grant["podUid"])

    def ask(self, token: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a run's request, as an agent does."""
        method = "GET" if body is None else "POST"
        told = {"Authorization": f"Bearer {token}", **headers}
        return self.session.request(method, f"{self.url}/p/{path}", json=body, headers=told)

    async def used(self, run: str) -> messages.RunUsed:
        """Return what a run used."""
        return next(one for one in (await self.client.spent())["runs"] if one["uid"] == run)


@contextlib.asynccontextmanager
async def gateway(folder: Path, declared: bytes, limits: Limits = QUICK) -> AsyncIterator[Gateway]:
    """Serve a gateway whose journal is in this folder; yields it when it is the active one."""
    leader = Leader(FileKeeper(folder), folder, lambda: None, every=0.05)
    app = Service(parse(declared), PlainCallers(OPERATOR), leader, limits).app()
    token = folder.parent / f"{folder.name}.operator"
    token.write_text(OPERATOR)
    async with (
        serving(app, patience=60, handler_cancellation=True) as url,
        aiohttp.ClientSession() as session,
        GatewayClient(url, token) as client,
    ):
        while leader.journal is None:
            await asyncio.sleep(0.01)
        yield Gateway(url, client, session, leader)


@contextlib.asynccontextmanager
async def gateway_and_double(folder: Path, upstream: Double) -> AsyncIterator[tuple[Gateway, str]]:
    """Serve both; yields the gateway and the double's address."""
    async with serving(upstream.app()) as url, gateway(folder / ".gateway", providers(url, folder / "key")) as ours:
        yield ours, url


def messages_body(*, stream: bool = False, model: str = MODEL, most: int = 100, text: str = "Do it.") -> dict[str, Any]:
    """Return a request of Anthropic's API."""
    said = [{"role": "user", "content": text}]
    return {"model": model, "max_tokens": most, "messages": said, **({"stream": True} if stream else {})}


def chat_body(*, stream: bool = False, **more: Any) -> dict[str, Any]:
    """Return a request of OpenAI's chats."""
    said = [{"role": "user", "content": "Do it."}]
    return {"model": MODEL, "max_tokens": 100, "messages": said, **({"stream": True} if stream else {}), **more}


def responses_body(*, stream: bool = False) -> dict[str, Any]:
    """Return a request of OpenAI's responses."""
    return {"model": MODEL, "max_output_tokens": 100, "input": "Do it.", **({"stream": True} if stream else {})}
