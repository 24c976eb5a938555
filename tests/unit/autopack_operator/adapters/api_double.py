"""A loopback HTTP server that answers as it is told: errors and delays that a real API server makes only at times."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from kubernetes.aio.client import Configuration

from autopack_operator.adapters.kube.connection import Connection

JsonDict = dict[str, Any]
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def status(code: int, reason: str = "", message: str = "no", headers: dict[str, str] | None = None) -> Answer:
    """Always a metav1.Status."""

    async def answer(_: web.Request) -> web.StreamResponse:
        body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message}
        return web.json_response(body, status=code, headers=headers)

    return answer


def json(body: JsonDict, code: int = 200, after: float = 0.0) -> Answer:
    """Always this object, after some seconds."""

    async def answer(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(after)
        return web.json_response(body, status=code)

    return answer


def text(body: str, code: int = 200) -> Answer:
    """Always this text, as a proxy in between may send it."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text=body, status=code)

    return answer


class Double:
    """Answers in turn, the last one forever, and remembers what was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[web.Request] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.asked.append(request)
        await request.read()
        following = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await following(request)


@asynccontextmanager
async def connected(double: Double) -> AsyncIterator[Connection]:
    """A connection to the double."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", double.answer)
    async with TestServer(app) as server:
        connection = Connection(Configuration(host=str(server.make_url("")).rstrip("/")))
        try:
            yield connection
        finally:
            await connection.close()
