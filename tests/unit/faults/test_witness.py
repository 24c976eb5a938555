"""Who waits for something to be seen is woken by news, and stops when told to."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.faults.records import run, seen

from faults.upstream import Upstream
from faults.witness import NotSeenError, Witness, phase


def witness() -> Witness:
    return Witness(Upstream("http://127.0.0.1:9"), "lab")


async def test_news_end_the_wait() -> None:
    watching = witness()
    there = asyncio.create_task(
        watching.until(lambda: phase(watching.find("AutopackRun", "t1")) == "Running", "it", 60)
    )
    await asyncio.sleep(0)
    watching.hear(seen(0, run("Running")))
    await there


async def test_what_does_not_come_is_named() -> None:
    with pytest.raises(NotSeenError, match="the end of t1 did not happen"):
        await witness().until(lambda: False, "the end of t1", 0)


@pytest.mark.parametrize("ticks", range(5))
async def test_a_cancellation_that_comes_with_news_is_not_lost(ticks: int) -> None:
    watching = witness()
    waiting = asyncio.create_task(watching.until(lambda: False, "it", 60))
    await asyncio.sleep(0.01)
    watching.hear(seen(0, run("Running")))
    for _ in range(ticks):
        await asyncio.sleep(0)
    waiting.cancel()
    done, _ = await asyncio.wait({waiting}, timeout=0.5)
    lost, ended = not done, waiting.cancelled()
    waiting.cancel()
    assert (lost, ended) == (False, True)
