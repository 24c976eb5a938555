"""The publisher's answers as the port promises them; one that is away, or of another version, is asked again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from tests.unit.autopack_operator.adapters.api_double import Answer, Double, JsonDict, json, text

from autopack_operator.adapters.publisher_http.client import HttpPublisher
from autopack_operator.domain.api.deliver import DeliveryPolicy, PullRequest
from autopack_operator.domain.api.status import DeliveredPullRequest
from autopack_operator.domain.delivery.request import DeliveryRequest
from autopack_operator.domain.delivery.work import Work
from autopack_operator.domain.delivery.world import Delayed, Delivered, NotDelivered
from autopack_publisher.service.request import parse

REQUEST = DeliveryRequest(
    run_uid="uid",
    run_name="one",
    namespace="lab",
    attempt=2,
    repository_key="n-x",
    work=Work("refs/runs/uid/a2/heads/x", "a" * 40),
    began_at="b" * 40,
    target="https://git.example/app.git",
    branch="agents/one",
    base="main",
    expected="",
    squash=False,
    message="text",
    policy=DeliveryPolicy(credential="web", max_bytes=7),
    pull_request=PullRequest(title="T", labels=["a"]),
    link="",
)
DONE: JsonDict = {"state": "delivered", "branch": "agents/one", "commit": "c" * 40, "message": "m"}
PULL: JsonDict = {"number": 7, "url": "https://git.example/7"}


@asynccontextmanager
async def publisher(double: Double, tmp_path: Path) -> AsyncIterator[HttpPublisher]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", double.answer)
    (tmp_path / "token").write_text("one\n")
    async with TestServer(app) as server:
        client = HttpPublisher(str(server.make_url("")), tmp_path / "token")
        try:
            yield client
        finally:
            await client.close()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (json({"state": "pending"}, 202), None),
        (
            json(DONE | {"pullRequest": PULL}, 200),
            Delivered("c" * 40, DeliveredPullRequest(number=7, url="https://git.example/7"), "m"),
        ),
        (json(DONE | {"pullRequest": None}, 200), Delivered("c" * 40, None, "m")),
        (json({"state": "conflict", "message": "moved"}, 200), NotDelivered("Conflict", "RemoteMoved", "moved")),
        (
            json({"state": "refused", "reason": "SecretFound", "message": "a.py:3"}, 200),
            NotDelivered("Refused", "SecretFound", "a.py:3"),
        ),
        (
            json({"state": "failed", "reason": "Unknown", "message": "no such repository"}, 422),
            NotDelivered("Failed", "Unknown", "no such repository"),
        ),
        (
            json({"state": "failed", "reason": "HostUnavailable", "message": "later"}, 503),
            Delayed("HostUnavailable", "later"),
        ),
        (json({"state": "new"}, 200), Delayed("PublisherAnswerUnreadable", "the publisher answered with state")),
    ],
)
async def test_answers(answer: Answer, expected: object, tmp_path: Path) -> None:
    double = Double(answer)
    async with publisher(double, tmp_path) as client:
        assert await client.deliver(REQUEST) == expected


async def test_what_is_sent(tmp_path: Path) -> None:
    double = Double(json({"state": "pending"}, 202))
    async with publisher(double, tmp_path) as client:
        await client.deliver(REQUEST)
    [sent] = double.asked
    assert (sent.method, sent.path) == ("PUT", "/v1/deliveries/uid/2")
    body = await sent.json()
    assert (body["credential"], body["policy"]["maxBytes"], body["baseBranch"]) == ("web", 7, "main")
    assert body["pullRequest"]["labels"] == ["a"]
    assert "link" not in body


async def test_the_publisher_understands_what_is_sent(tmp_path: Path) -> None:
    double, uid = Double(json({"state": "pending"}, 202)), "0b5c1a52-6c1f-4b7e-9d2e-3f1a2b3c4d5e"
    asked = replace(
        REQUEST, run_uid=uid, work=Work(f"refs/runs/{uid}/a2/outbox/agents/x", "a" * 40), link="https://d/1"
    )
    async with publisher(double, tmp_path) as client:
        await client.deliver(asked)
    wanted = parse(uid, "2", await double.asked[0].read(), ("https",), allow_loopback=False)
    assert (wanted.branch, wanted.policy.max_bytes, wanted.link) == ("agents/one", 7, "https://d/1")
    assert wanted.wish is not None
    assert (wanted.wish.title, wanted.wish.labels) == ("T", ("a",))


@pytest.mark.parametrize("answer", [text("no JSON"), None])
async def test_a_publisher_that_is_away_is_asked_again(answer: Answer | None, tmp_path: Path) -> None:
    if answer is not None:
        async with publisher(Double(answer), tmp_path) as client:
            said = await client.deliver(REQUEST)
    else:
        (tmp_path / "token").write_text("one\n")
        away = HttpPublisher(f"http://127.0.0.1:{unused_port()}", tmp_path / "token")
        said = await away.deliver(REQUEST)
        await away.close()
    assert isinstance(said, Delayed)
    assert said.reason == "PublisherUnavailable"
