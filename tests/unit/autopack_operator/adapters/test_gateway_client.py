"""The gateway's answers as the port promises them; whatever it says no with is a failure that is asked again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from tests.unit.autopack_operator.adapters.api_double import Answer, Double, JsonDict, json, text

from autopack.agents.usage import Usage
from autopack_operator.adapters.gateway_http.client import HttpGateway
from autopack_operator.domain.spending.views import Allowed, Bound, GatewayFailure, Grant, Spending, Spent

GRANT = Grant("u1", "one", 2, "p1", None, (Allowed("claude", ("claude-*",)),), (Bound("run:u1", "2.50", 7),), 3)
USED: JsonDict = {
    "uid": "u1",
    "requests": 2,
    "inputTokens": 30,
    "outputTokens": 4,
    "cachedTokens": 20,
    "costUSD": "0.0125",
    "estimated": 0,
    "perModel": {},
    "exhausted": "run:u1",
}


@asynccontextmanager
async def gateway_of(double: Double, token_file: Path) -> AsyncIterator[HttpGateway]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", double.answer)
    async with TestServer(app) as server:
        gateway = HttpGateway(str(server.make_url("")), token_file)
        try:
            yield gateway
        finally:
            await gateway.close()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("own\n")
    return path


async def test_a_grant_says_what_the_pod_may_use(token_file: Path) -> None:
    double = Double(json({"uid": "u1", "attempt": 2}))
    async with gateway_of(double, token_file) as gateway:
        assert await gateway.grant(GRANT) is None
    (request,) = double.asked
    assert (request.method, request.path, request.headers["Authorization"]) == ("PUT", "/v1/grants", "Bearer own")
    assert await request.json() == {
        "uid": "u1",
        "attempt": 2,
        "podUid": "p1",
        "runName": "one",
        "batch": "",
        "providers": [{"name": "claude", "models": ["claude-*"]}],
        "budgets": [{"scope": "run:u1", "usd": "2.50", "tokens": 7}],
        "priority": 3,
    }


async def test_what_was_spent_is_read_and_asked_for_from_the_cursor_on(token_file: Path) -> None:
    double = Double(json({"cursor": "c2", "runs": [USED]}))
    async with gateway_of(double, token_file) as gateway:
        answer = await gateway.spent("c1")
    assert double.asked[0].path_qs == "/v1/spent?after=c1"
    usage = Usage(requests=2, input_tokens=30, output_tokens=4, cached_tokens=20, micro_usd=12_500)
    assert answer == Spending("c2", (Spent("u1", usage, "run:u1"),))


@pytest.mark.parametrize(
    "answer", [json({"reason": "X", "message": "not now"}, 503), text("<html>", 502), json({"cursor": "c"})]
)
async def test_anything_else_is_a_failure(answer: Answer, token_file: Path) -> None:
    async with gateway_of(Double(answer), token_file) as gateway:
        assert isinstance(await gateway.spent(""), GatewayFailure)


async def test_a_gateway_that_is_away_is_a_failure_of_every_call(token_file: Path) -> None:
    gateway = HttpGateway(f"http://127.0.0.1:{unused_port()}", token_file)
    try:
        for answer in (await gateway.grant(GRANT), await gateway.revoke("u1", 2), await gateway.spent("")):
            assert isinstance(answer, GatewayFailure)
            assert "did not answer" in answer.message
    finally:
        await gateway.close()
