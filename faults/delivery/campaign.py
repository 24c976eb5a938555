"""Plays deliveries in several lanes at once."""

from __future__ import annotations

import asyncio
import math
import shutil
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from faults.delivery.lane import DeliveryLane
from faults.delivery.plans import WORKLOADS
from faults.lane import Verdict
from faults.plan import Match, Plan


def record(folder: Path) -> dict[str, list[Match]]:
    """Play each workload without a fault; AssertionError says what is wrong even so."""
    with DeliveryLane(folder / "recorded").open() as lane:
        lives = {}
        for workload in WORKLOADS:
            lives[workload], wrong = lane.record(workload)
            if wrong:
                raise AssertionError(f"{workload} is not right even without a fault: {wrong}")
    return lives


async def play(
    plans: Iterable[Plan], lanes: int, folder: Path, count: Callable[[Verdict], None], last: float = math.inf
) -> list[DeliveryLane]:
    """Play them, none after that moment; return the lanes, which are closed, for what is left there."""
    waiting = deque(plans)

    def work(lane: DeliveryLane) -> None:
        with lane.open():
            while time.monotonic() < last:
                try:
                    plan = waiting.popleft()
                except IndexError:
                    return
                loop.call_soon_threadsafe(count, lane.play(plan))

    loop = asyncio.get_running_loop()
    opened = [DeliveryLane(folder / f"lane-{number}") for number in range(lanes)]
    done = asyncio.gather(*(asyncio.to_thread(work, lane) for lane in opened))
    try:
        await asyncio.shield(done)
    finally:
        # A thread cannot be canceled: let those end that have begun.
        waiting.clear()
        await done
    return opened


@asynccontextmanager
async def workplace() -> AsyncIterator[Path]:
    """Yield a folder for lanes, and take it away."""
    folder = Path(tempfile.mkdtemp(prefix="autopack-faults-delivery-"))
    try:
        yield folder
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
