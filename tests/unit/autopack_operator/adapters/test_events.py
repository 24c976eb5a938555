"""Events are told when there is time for it, and a full backlog loses the oldest."""

from __future__ import annotations

import asyncio
import logging

import pytest
from tests.unit.autopack_operator.adapters.api_double import Double, connected, json
from tests.unit.autopack_operator.builders import RunBuilder

from autopack_operator.adapters.kube import events
from autopack_operator.adapters.kube.events import KubeEvents

PATH = "/api/v1/namespaces/n/pods"


async def told(double: Double, number: int) -> list[str]:
    """The notes of so many events that arrived."""
    async with asyncio.timeout(30):
        while len(double.asked) < number:
            await asyncio.sleep(0.01)
    return [(await request.json())["note"] for request in double.asked]


async def test_reconciles_go_before_events_that_were_there_first() -> None:
    double = Double(json({}))
    async with connected(double) as unbounded:
        connection = unbounded.paced(10)
        sink = KubeEvents(connection, "me")
        await asyncio.gather(*(connection.request("GET", PATH) for _ in range(20)))
        for number in range(20):
            sink.record(RunBuilder().view(), "Completed", str(number))
        sending = asyncio.create_task(sink.run())
        for _ in range(5):
            await asyncio.sleep(0)
        await asyncio.gather(*(connection.request("GET", PATH) for _ in range(3)))
        sending.cancel()
    assert [request.method for request in double.asked] == ["GET"] * 23


async def test_a_full_backlog_loses_the_oldest_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    double, run = Double(json({})), RunBuilder().view()
    async with connected(double) as connection:
        sink = KubeEvents(connection, "me")
        for number in range(events.BACKLOG + 5):
            sink.record(run, "Completed", str(number))
        assert sink._waiting.qsize() == events.BACKLOG
        with caplog.at_level(logging.WARNING):
            sending = asyncio.create_task(sink.run())
            assert (await told(double, 3))[:3] == ["5", "6", "7"]
            await asyncio.sleep(0.05)
        sending.cancel()
    assert [record.getMessage() for record in caplog.records] == [
        "5 events were dropped: the requests of reconciles left no time for them"
    ]


async def test_a_note_is_cut_by_bytes_as_the_api_counts_them() -> None:
    double = Double(json({}))
    async with connected(double) as connection:
        sink = KubeEvents(connection, "me")
        sink.record(RunBuilder().view(), "Failed", "a" + "ü" * 2000)
        sending = asyncio.create_task(sink.run())
        (note,) = await told(double, 1)
        sending.cancel()
    assert 990 < len(note.encode()) <= 1024
    assert set(note) == {"a", "ü"}
