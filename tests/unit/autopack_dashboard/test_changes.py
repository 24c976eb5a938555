"""Open pages learn of changes; nobody asks the database for nobody."""

from __future__ import annotations

import asyncio

from tests.unit.autopack_dashboard.pages import Pages

from autopack.registry.failures import DatabaseUnreachable
from autopack_dashboard.changes import Changes


class Registry:
    def __init__(self) -> None:
        self.now = "1"
        self.asked = 0
        self.is_away = False

    async def version(self) -> str:
        self.asked += 1
        if self.is_away:
            raise DatabaseUnreachable("away", "start it")
        return self.now


async def settled(registry: Registry, times: int = 3) -> None:
    goal = registry.asked + times
    async with asyncio.timeout(60):
        while registry.asked < goal:
            await asyncio.sleep(0.001)


async def test_a_listener_is_told_of_a_change_and_only_then() -> None:
    registry = Registry()
    changes = Changes(registry.version, 0.001)
    task = asyncio.create_task(changes.run())
    with changes.listening() as changed:
        await settled(registry)
        assert not changed.is_set()
        registry.is_away = True
        await settled(registry)
        registry.is_away, registry.now = False, "2"
        async with asyncio.timeout(60):
            await changed.wait()
    task.cancel()


async def test_without_a_listener_the_database_is_left_alone() -> None:
    registry = Registry()
    changes = Changes(registry.version, 0.001)
    task = asyncio.create_task(changes.run())
    for _ in range(20):
        await asyncio.sleep(0)
    assert registry.asked == 0
    with changes.listening():
        await settled(registry)
    await asyncio.sleep(0.01)
    asked = registry.asked
    await asyncio.sleep(0.02)
    assert registry.asked == asked
    task.cancel()


async def test_events_are_a_stream_that_is_never_kept(pages: Pages) -> None:
    response = await pages.get("/events")
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-store"
    assert await response.content.readline() == b"retry: 3000\n"
    response.close()
