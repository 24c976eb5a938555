"""Requests a second are bounded, with a burst after a pause."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.autopack_operator.app.held_loop import LoopClock, play

from autopack_operator.adapters.kube.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_goes_out_at_once_and_the_rest_at_the_rate() -> None:
    pace = Pace(10, Clock())
    waits = [pace.wait_seconds() for _ in range(23)]
    assert waits == pytest.approx([0.0] * 20 + [0.1, 0.2, 0.3], abs=1e-9)


def test_a_pause_earns_no_more_than_one_burst() -> None:
    clock = Clock()
    pace = Pace(10, clock)
    for _ in range(20):
        pace.wait_seconds()
    clock.now += 3600
    assert [pace.wait_seconds() for _ in range(21)] == pytest.approx([0.0] * 20 + [0.1], abs=1e-9)


async def test_without_a_bound_nothing_waits() -> None:
    pace = Pace(0, Clock())
    for _ in range(1000):
        await pace.slot()
    for _ in range(1000):
        await pace.spare_slot()


def test_it_is_crowded_when_who_asks_would_wait_for_more_than_a_moment() -> None:
    clock = Clock()
    pace = Pace(25, clock)
    assert not pace.crowded()
    found = []
    for _ in range(55):
        pace.wait_seconds()
        found.append(pace.crowded())
    assert found == [False] * 51 + [True] * 4
    clock.now += 0.2
    assert not pace.crowded()


def test_without_a_bound_it_is_never_crowded() -> None:
    pace = Pace(0, Clock())
    assert [pace.wait_seconds() for _ in range(1000)] == [0.0] * 1000
    assert not pace.crowded()


def test_a_slot_is_spare_only_when_the_burst_is_whole() -> None:
    clock = Clock()
    pace = Pace(10, clock)
    assert pace.spare_in_seconds() == 0
    pace.wait_seconds()
    assert pace.spare_in_seconds() == pytest.approx(0.1)
    for _ in range(24):
        pace.wait_seconds()
    assert pace.spare_in_seconds() == pytest.approx(2.5)
    clock.now += 2.5
    assert pace.spare_in_seconds() == pytest.approx(0)


def test_whoever_takes_spare_slots_keeps_nobody_waiting() -> None:
    """Ten a second, of which the others ask for a burst, then for nine: one a second is left, and none in the burst."""

    async def program() -> tuple[list[float], list[float]]:
        clock = LoopClock()
        pace, waits, spare = Pace(10, clock.monotonic), list[float](), list[float]()

        async def modest() -> None:
            while True:
                await pace.spare_slot()
                spare.append(clock.monotonic())

        await asyncio.sleep(10)
        for _ in range(20):
            waits.append(pace.wait_seconds())
        taking = asyncio.create_task(modest())
        for _ in range(360):
            await asyncio.sleep(1 / 9)
            waits.append(pace.wait_seconds())
        taking.cancel()
        return waits, spare

    waits, spare = play(program())
    assert max(waits) == pytest.approx(0, abs=1e-3)
    # The burst is saved up again first, a slot a second.
    assert 20 <= len(spare) <= 22
    assert spare[0] >= 10 + 19


def test_spare_slots_come_at_the_rate_when_nobody_else_asks() -> None:
    async def program() -> float:
        clock = LoopClock()
        pace = Pace(10, clock.monotonic)
        started = clock.monotonic()
        for _ in range(100):
            await pace.spare_slot()
        return clock.monotonic() - started

    assert play(program()) == pytest.approx(10, abs=0.2)
