"""One gateway follows another: what the first had promised holds, and it can spend no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from tests.local.gateway.gateways import double, gateway, messages_body, providers, serving

from autopack.files import names_in
from autopack_gateway.service.leadership.leases import LeaseKeeper
from autopack_gateway.service.ledger.amounts import Amount
from autopack_gateway.service.ledger.files import FencedError, begin, latest, roll
from autopack_gateway.service.ledger.grants import grant_of
from autopack_gateway.service.ledger.journal import Journal
from autopack_gateway.service.settings import LeaseName

GRANT = grant_of({"uid": "a", "attempt": 1, "podUid": "pod", "batch": "b"})
MOST = Amount(requests=1, input=10, usd=Decimal("0.5"))


def fail(error: Exception) -> None:
    raise AssertionError(f"the journal broke: {error}")


def torn(folder: Path) -> None:
    (path,) = folder.glob("*.journal")
    with path.open("ab") as file:
        file.write(b'00000000 {"kind":"settle"')


async def test_a_journal_gives_back_what_was_promised_and_counts_whole_what_was_under_way(tmp_path: Path) -> None:
    first = Journal(tmp_path, 0, fail)
    await first.grant(GRANT)
    settled, kept = first.reserve(GRANT, "p/m", MOST)
    await kept
    first.settle(settled, MOST._replace(usd=Decimal("0.25")))
    _, kept = first.reserve(GRANT, "p/m", MOST)
    await kept
    # It is killed now, and a power loss tears the last line.
    torn(tmp_path)
    second = Journal(tmp_path, 0, fail)
    second.settle_lost()
    await second.close()
    assert second.books.spent["batch:b"] == Amount(2, 20, usd=Decimal("0.75"), estimated=1)
    assert second.books.grant_of_pod("pod") == GRANT
    assert (latest(tmp_path), names_in(tmp_path)) == (2, ["0000000002.journal"])


async def test_a_journal_that_was_followed_keeps_nobody_waiting_and_lets_nobody_spend(tmp_path: Path) -> None:
    broken: list[Exception] = []
    first = Journal(tmp_path, 0, broken.append)
    await first.grant(GRANT)
    second = Journal(tmp_path, 7, fail)
    assert second.term == 7
    _, kept = first.reserve(GRANT, "p/m", MOST)
    with pytest.raises(FencedError):
        await kept
    assert [type(error) for error in broken] == [FencedError]
    with pytest.raises(FencedError):
        first.reserve(GRANT, "p/m", MOST)
    await second.close()
    third = Journal(tmp_path, 0, fail)
    assert third.books.spent == {}
    await third.close()


def test_a_leader_that_was_followed_does_not_overtake_with_a_new_file(tmp_path: Path) -> None:
    first = begin(tmp_path, 0, 0).file
    second = begin(tmp_path, 0, 0).file
    with pytest.raises(FencedError):
        roll(tmp_path, first.term, 0)
    assert latest(tmp_path) == second.term
    first.close()
    second.close()


async def test_a_long_journal_is_followed_by_a_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autopack_gateway.service.ledger.journal.ROLL_BYTES", 2000)
    journal = Journal(tmp_path, 0, fail)
    await journal.grant(GRANT)
    for _ in range(40):
        identity, kept = journal.reserve(GRANT, "p/m", MOST)
        await kept
        journal.settle(identity, MOST)
    await journal.close()
    assert journal.term > 2
    after = Journal(tmp_path, 0, fail)
    await after.close()
    assert after.books.document(0) == journal.books.document(0)
    assert after.books.spent["run:a"].requests == 40


async def test_the_second_gateway_waits_and_follows(tmp_path: Path) -> None:
    async with serving(double().app()) as upstream:
        declared = providers(upstream, tmp_path / "key")
        async with gateway(tmp_path / ".gateway", declared) as first:
            token = await first.grant("a")
            async with first.ask(token, "claude/v1/messages", messages_body()) as answer:
                assert answer.status == 200
            waiting = asyncio.create_task(_next(tmp_path, declared))
            await asyncio.sleep(0.2)
            assert not waiting.done()
        run, status = await waiting
    assert run["requests"] == 1
    assert status == 200


async def _next(tmp_path: Path, declared: bytes) -> tuple[Any, int]:
    async with gateway(tmp_path / ".gateway", declared) as second:
        before = await second.used("a")
        answer = await second.ask("token-of-a", "claude/v1/messages", messages_body())
        return before, answer.status


async def test_a_gateway_that_ends_answers_what_it_has_begun(tmp_path: Path) -> None:
    async def asked(session: aiohttp.ClientSession, url: str) -> int:
        told = {"Authorization": "Bearer token-of-a"}
        async with session.post(f"{url}/p/claude/v1/messages", json=messages_body(stream=True), headers=told) as answer:
            assert b"message_stop" in await answer.read()
            return answer.status

    async with aiohttp.ClientSession() as session, serving(double(seconds=1).app()) as upstream:
        declared = providers(upstream, tmp_path / "key")
        async with gateway(tmp_path / ".gateway", declared) as ours:
            await ours.grant("a")
            asking = asyncio.create_task(asked(session, ours.url))
            journal = ours.leader.journal
            assert journal is not None
            while not journal.books.open:
                await asyncio.sleep(0.01)
        assert await asking == 200
        async with gateway(tmp_path / ".gateway", declared) as ours:
            assert (await ours.used("a"))["estimated"] == 0


class LeaseApi:
    """The API server's Leases, as far as a gateway needs them."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.version = 0

    def app(self) -> web.Application:
        app = web.Application()
        path = "/apis/coordination.k8s.io/v1/namespaces/autopack/leases"
        app.router.add_post(path, self.write)
        app.router.add_get(f"{path}/gateway", self.read)
        app.router.add_put(f"{path}/gateway", self.write)
        return app

    async def read(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer our-token"
        return web.json_response(self.lease, status=200) if self.lease else web.json_response({}, status=404)

    async def write(self, request: web.Request) -> web.Response:
        lease = await request.json()
        if lease["metadata"].get("resourceVersion") != (str(self.version) if self.lease else None):
            return web.json_response({}, status=409)
        self.version += 1
        self.lease = {**lease, "metadata": {**lease["metadata"], "resourceVersion": str(self.version)}}
        return web.json_response(self.lease)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[LeaseApi, str]]:
    (tmp_path / "token").write_text("our-token\n")
    # The double speaks plain HTTP: there is no CA to trust.
    monkeypatch.setattr("ssl.create_default_context", lambda cafile: True)
    server = LeaseApi()
    async with serving(server.app()) as url:
        yield server, url


async def test_a_lease_is_held_by_one(api: tuple[LeaseApi, str], tmp_path: Path) -> None:
    server, url = api
    clock = Clock()
    one, two = (LeaseKeeper(LeaseName("autopack", "gateway", name), url, tmp_path, clock) for name in ("one", "two"))
    assert await one.claim() == 1
    assert await two.claim() is None
    clock.now += 10
    assert await one.claim() == 1
    clock.now += 10
    assert await two.claim() is None
    clock.now += 20
    assert await two.claim() == 2
    assert await one.claim() is None
    await one.release()
    assert await one.claim() is None
    await two.release()
    assert await one.claim() == 3
    server.lease = None
    server.version = 0
    assert await two.claim() == 1


async def test_an_api_server_that_is_away_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("our-token\n")
    monkeypatch.setattr("ssl.create_default_context", lambda cafile: True)
    keeper = LeaseKeeper(LeaseName("autopack", "gateway", "one"), "http://127.0.0.1:9", tmp_path)
    with pytest.raises(OSError, match="cannot be claimed"):
        await keeper.claim()
    await keeper.release()
