"""Releases that come together go out together, each caller gets its own request's answer, and none waits forever."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from tests.unit.autopack_operator.adapters.api_double import Double, connected, json, status

from autopack_operator.adapters.kube.lease_releases import AT_ONCE, LeaseReleases
from autopack_operator.ports.cluster import RejectedError


def selectors(double: Double) -> list[str]:
    return [request.query["labelSelector"] for request in double.asked]


def of(uids: list[str], attempt: int = 1) -> str:
    return f"autopack.dev/run-uid in ({','.join(uids)}),autopack.dev/attempt={attempt}"


async def test_those_that_come_while_one_is_under_way_share_the_next() -> None:
    double = Double(json({}, after=0.02))
    async with connected(double) as connection:
        releases = LeaseReleases(connection)
        await asyncio.gather(*(releases.release("space", uid, 1) for uid in ("a", "b", "c")))
        await releases.release("space", "d", 1)
    assert selectors(double) == [of(["a", "b", "c"]), of(["d"])]
    assert {request.path for request in double.asked} == {"/apis/coordination.k8s.io/v1/namespaces/space/leases"}


async def test_those_that_come_before_its_turn_go_out_with_it() -> None:
    double = Double(json({}))
    async with connected(double) as open_connection:
        connection = open_connection.paced(20)
        for _ in range(42):
            connection._pace.wait_seconds()
        releases = LeaseReleases(connection)
        early = asyncio.create_task(releases.release("space", "a", 1))
        await asyncio.sleep(0.01)
        assert connection.crowded()
        await releases.release("space", "b", 1)
        await early
    assert selectors(double) == [of(["a", "b"])]


async def test_attempts_and_namespaces_are_kept_apart() -> None:
    double = Double(json({}))
    async with connected(double) as connection:
        releases = LeaseReleases(connection)
        wanted = [("space", "a", 1), ("space", "a", 2), ("other", "a", 1)]
        await asyncio.gather(*(releases.release(*each) for each in wanted))
    assert sorted((request.path.split("/")[5], request.query["labelSelector"]) for request in double.asked) == [
        ("other", of(["a"])),
        ("space", of(["a"])),
        ("space", of(["a"], 2)),
    ]


async def test_a_request_has_a_bounded_length() -> None:
    double = Double(json({}))
    uids = [f"uid-{number}" for number in range(AT_ONCE + 1)]
    async with connected(double) as connection:
        releases = LeaseReleases(connection)
        await asyncio.gather(*(releases.release("space", uid, 1) for uid in uids))
    assert selectors(double) == [of(uids[:AT_ONCE]), of(uids[AT_ONCE:])]


async def test_a_failure_is_told_to_those_who_went_out_with_it_and_to_no_others() -> None:
    async def first_slow(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.02)
        return await status(403, "Forbidden")(request)

    double = Double(first_slow, json({}))
    async with connected(double) as connection:
        releases = LeaseReleases(connection)
        early = asyncio.create_task(releases.release("space", "a", 1))
        while not double.asked:
            await asyncio.sleep(0)
        await releases.release("space", "b", 1)
        with pytest.raises(RejectedError):
            await early


async def test_one_who_does_not_wait_any_more_takes_nothing_from_the_others() -> None:
    double = Double(json({}, after=0.02))
    async with connected(double) as connection:
        releases = LeaseReleases(connection)
        leaving = asyncio.create_task(releases.release("space", "a", 1))
        staying = asyncio.create_task(releases.release("space", "a", 1))
        await asyncio.sleep(0)
        leaving.cancel()
        await staying
    assert selectors(double) == [of(["a"])]
