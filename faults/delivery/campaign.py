"""Plays deliveries in several lanes at once."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from faults.delivery.lane import DeliveryLane
from faults.delivery.plans import WORKLOADS
from faults.lane import Verdict
from faults.plan import Match, Plan

Lives = Mapping[str, list[Match]]


def record(folder: Path) -> dict[str, list[Match]]:
    """Play each workload without a fault; AssertionError says what is wrong even so."""
    with DeliveryLane(folder / "recorded").open() as lane:
        lives = {}
        for workload in WORKLOADS:
            lives[workload], wrong = lane.record(workload)
            if wrong:
                raise AssertionError(f"{workload} is not right even without a fault: {wrong}")
    return lives


async def play(plans: Iterable[Plan], lanes: int, folder: Path, count: Callable[[Verdict], None]) -> list[DeliveryLane]:
    """Play them; return the lanes, which are closed, for what is left there."""
    waiting = deque(plans)

    def work(lane: DeliveryLane) -> None:
        with lane.open():
            while waiting:
                try:
                    plan = waiting.popleft()
                except IndexError:
                    return
                loop.call_soon_threadsafe(count, lane.play(plan))

    loop = asyncio.get_running_loop()
    opened = [DeliveryLane(folder / f"lane-{number}") for number in range(lanes)]
    await asyncio.gather(*(asyncio.to_thread(work, lane) for lane in opened))
    return opened


def workplace() -> Path:
    """Return a new folder for lanes."""
    return Path(tempfile.mkdtemp(prefix="autopack-faults-delivery-"))


def clear(folder: Path) -> None:
    """Take it away."""
    shutil.rmtree(folder, ignore_errors=True)
