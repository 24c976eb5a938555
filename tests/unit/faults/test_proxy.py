"""The proxy over real loopback connections: what reaches the server, what the client gets, and who is killed when."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from faults.calls import Call, Names
from faults.injector import Injector
from faults.plan import Fault, Kind, Match
from faults.proxy import Proxy, Upstreams, in_the_past
from faults.upstream import Upstream

PODS = "/api/v1/namespaces/lab/pods"
BODY = {"metadata": {"name": "t1-a1", "ownerReferences": []}, "spec": {}}
CREATE = Match(verb="create", resource="pods", name="~-a1")


@dataclass
class Victim:
    """Remembers what was done to it, and how many requests had arrived by then."""

    arrived: list[web.Request]
    done: list[tuple[str, int]] = field(default_factory=list)

    def kill(self) -> None:
        self.done.append(("kill", len(self.arrived)))

    def stop(self) -> None:
        self.done.append(("stop", len(self.arrived)))

    async def replaced(self) -> None:
        self.done.append(("replaced", len(self.arrived)))

    async def disturb(self, fault: Fault, call: Call) -> None:
        self.done.append((fault.kind.value, len(self.arrived)))


@dataclass
class Scene:
    arrived: list[web.Request] = field(default_factory=list)
    injector: Injector = field(default_factory=lambda: Injector(trial="t1"))

    def __post_init__(self) -> None:
        self.victim = Victim(self.arrived)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.arrived.append(request)
        if request.query.get("watch") == "true":
            response = web.StreamResponse()
            await response.prepare(request)
            for number in (1, 2):
                event = {"type": "ADDED", "object": {"metadata": {"name": f"t1-a{number}"}}}
                await response.write(json.dumps(event).encode() + b"\n")
            return response
        return web.json_response({"metadata": {"resourceVersion": "7"}}, status=201)


@asynccontextmanager
async def playing(fault: Fault | None, user: str = "") -> AsyncIterator[tuple[Scene, str]]:
    scene = Scene()
    scene.injector.fault = fault
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", scene.serve)
    async with TestServer(app) as server:
        upstream = Upstream(str(server.make_url("")))
        proxy = Proxy(Upstreams(upstream, upstream, user), lambda: scene.injector, Names(), "one", scene.victim)
        await proxy.start()
        try:
            yield scene, proxy.url
        finally:
            await proxy.stop()
            await upstream.close()


async def ask(url: str, path: str = PODS, method: str = "POST") -> tuple[int, bytes]:
    """Status and body; 0 when the connection was reset."""
    body = BODY if method == "POST" else None
    async with aiohttp.ClientSession() as session:
        try:
            async with session.request(method, url + path, json=body) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, OSError):
            return 0, b""


def fault(kind: Kind, **more: object) -> Fault:
    return Fault.model_validate({"kind": kind, "match": CREATE} | more)


async def test_without_a_fault_it_passes_on() -> None:
    async with playing(None) as (scene, url):
        assert (await ask(url))[0] == 201
        assert len(scene.arrived) == 1
        assert scene.injector.versions == ["7"]


@pytest.mark.parametrize("code", [409, 410, 429, 500, 503])
async def test_an_error_is_answered_without_asking_the_server(code: int) -> None:
    async with playing(fault(Kind.STATUS, code=code)) as (scene, url):
        status, body = await ask(url)
        assert (status, json.loads(body)["code"], scene.arrived) == (code, code, [])


@pytest.mark.parametrize(
    ("kind", "arrivals", "done"),
    [
        (Kind.RESET_BEFORE, 0, []),
        (Kind.RESET_AFTER, 1, []),
        (Kind.KILL_BEFORE, 0, [("kill", 0)]),
        (Kind.KILL_STALE, 0, [("kill", 0)]),
        (Kind.KILL_AFTER, 1, [("kill", 1)]),
        (Kind.KILL_LATE, 1, [("kill", 0), ("replaced", 0)]),
        (Kind.STOP_LATE, 1, [("stop", 0), ("replaced", 0)]),
    ],
)
async def test_the_client_hears_nothing(kind: Kind, arrivals: int, done: list[tuple[str, int]]) -> None:
    async with playing(fault(kind)) as (scene, url):
        assert (await ask(url))[0] == 0
        assert (len(scene.arrived), scene.victim.done) == (arrivals, done)
        assert scene.injector.fired


@pytest.mark.parametrize(
    ("kind", "done"),
    [
        (Kind.DELAY, []),
        (Kind.STOP_AFTER, [("stop", 1)]),
        (Kind.LEADER_DELETED, [("leader-deleted", 1)]),
        (Kind.POD_FORCE_DELETED, [("pod-force-deleted", 1)]),
    ],
)
async def test_the_client_gets_its_answer(kind: Kind, done: list[tuple[str, int]]) -> None:
    async with playing(fault(kind)) as (scene, url):
        assert (await ask(url))[0] == 201
        assert scene.victim.done == done


@pytest.mark.parametrize(("path", "method"), [(PODS, "POST"), (f"{PODS}?watch=true", "GET")])
async def test_a_server_that_is_gone_is_as_gone_to_the_client(path: str, method: str) -> None:
    gone = Upstream("http://127.0.0.1:9")
    scene = Scene()
    proxy = Proxy(Upstreams(gone, gone), lambda: scene.injector, Names(), "one", scene.victim)
    await proxy.start()
    try:
        assert (await ask(proxy.url, path, method))[0] == 0
    finally:
        await proxy.stop()
        await gone.close()


async def test_only_the_planned_request_is_hit() -> None:
    async with playing(fault(Kind.STATUS, code=500)) as (_, url):
        assert [(await ask(url))[0] for _ in range(3)] == [500, 201, 201]


async def test_a_watch_is_passed_on_and_an_event_of_it_dropped() -> None:
    match = Match(verb="ADDED", resource="pods", name="~-a1")
    async with playing(Fault(kind=Kind.EVENT_DROP, match=match)) as (_, url):
        status, body = await ask(url, f"{PODS}?watch=true", "GET")
        assert (status, b"t1-a1" in body, b"t1-a2" in body) == (200, False, True)


async def test_a_truncated_watch_is_reset() -> None:
    match = Match(verb="ADDED", resource="pods", name="~-a2")
    async with playing(Fault(kind=Kind.EVENT_TRUNCATE, match=match)) as (_, url):
        assert (await ask(url, f"{PODS}?watch=true", "GET"))[0] == 0


async def test_after_a_stale_kill_lists_are_of_the_past() -> None:
    async with playing(fault(Kind.KILL_STALE)) as (scene, url):
        scene.injector.versions.append("3")
        await ask(url)
        await ask(url, f"{PODS}?limit=500", "GET")
        assert dict(scene.arrived[-1].query) == {
            "limit": "500",
            "resourceVersion": "3",
            "resourceVersionMatch": "Exact",
        }


async def test_the_api_server_sees_the_operators_account_and_the_volume_does_not() -> None:
    async with playing(None, user="operator") as (scene, url):
        await ask(url)
        await ask(url, "/v1/attempts/x/1")
        assert [request.headers.get("Impersonate-User") for request in scene.arrived] == ["operator", None]


def test_a_list_of_the_past_keeps_its_own_query() -> None:
    assert (
        in_the_past("/x?labelSelector=a%3Db", "5")
        == "/x?labelSelector=a%3Db&resourceVersion=5&resourceVersionMatch=Exact"
    )
