"""Requests a second are bounded, with a burst after a pause."""

from __future__ import annotations

import pytest

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
        await pace.turn()
