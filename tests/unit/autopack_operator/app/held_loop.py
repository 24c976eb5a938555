"""An event loop whose time is held: when nothing is left to do now, it jumps to the next timer. Hours take
milliseconds, and the same program always runs the same way.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeVar

from tests.unit.autopack_operator.builders import NOW

ResultT = TypeVar("ResultT")


class StuckError(Exception):
    """Nothing will ever happen again, and the program has not ended."""


TURN_SECONDS = 1e-6
"""Every turn of the loop costs a moment: a timer that is due a rounding error from now must still come due."""


class HeldSelector(selectors.SelectSelector):
    """Waits by moving the hand of its own clock."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Nothing ever comes from outside."""
        if timeout is None:
            raise StuckError
        self.seconds += max(TURN_SECONDS, timeout)
        return []


class HeldLoop(asyncio.SelectorEventLoop):
    """asyncio on that clock."""

    def __init__(self) -> None:
        self.hand = HeldSelector()
        super().__init__(self.hand)

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self.hand.seconds


class LoopClock:
    """ports.clock.Clock: wall time starts at NOW."""

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


def play(program: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run it to its end on held time."""
    with asyncio.Runner(loop_factory=HeldLoop) as runner:
        return runner.run(program)
