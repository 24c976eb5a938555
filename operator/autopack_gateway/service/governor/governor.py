"""Lets requests go out to a provider: as many at once as it takes, in fair turns."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from .fair_queue import FairQueue, Line
from .pace import Pace
from .window import Window


class State(NamedTuple):
    """How busy a provider is."""

    width: int
    under_way: int
    waiting: int
    paused: float


class Governor:
    """One provider's. `enter` waits for a turn, `leave` ends it."""

    def __init__(self, most: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._window, self._pace = Window(most), Pace()
        self._queue: FairQueue[asyncio.Future[None]] = FairQueue()
        self._under_way = 0
        self._monotonic = monotonic
        self._timer: asyncio.TimerHandle | None = None

    @property
    def state(self) -> State:
        """How busy it is."""
        paused = max(0.0, self._window.paused_until - self._monotonic())
        return State(self._window.width, self._under_way, len(self._queue), paused)

    async def enter(self, line: Line) -> None:
        """Wait for a turn."""
        turn = asyncio.get_running_loop().create_future()
        self._queue.push(line, turn)
        self._let_go()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(line)
            else:
                self._queue.remove(line, turn)
            raise

    def leave(self, line: Line) -> None:
        """End a turn."""
        self._under_way -= 1
        self._queue.done(line)
        self._let_go()

    def answered(self) -> None:
        """Note that the provider took a request."""
        self._window.answered()
        self._let_go()

    def refused(self, sent: float, wait: float) -> None:
        """Note that it was too much for the provider; see Window."""
        if self._window.refused(sent, self._monotonic(), wait):
            self._pace.refused(sent)

    def pause(self, wait: float) -> None:
        """Send nothing for so long."""
        if wait > 0:
            self._window.pause(self._monotonic(), wait)

    def now(self) -> float:
        """Return the time on the governor's clock."""
        return self._monotonic()

    def _let_go(self) -> None:
        while self._under_way < self._window.width and len(self._queue):
            now = self._monotonic()
            wait = max(self._window.paused_until, self._pace.ready_at()) - now
            if wait > 0:
                self._look_again(wait)
                return
            line, turn = self._queue.pop()
            if turn.done():
                # Its client has gone at this very moment.
                self._queue.done(line)
                continue
            self._under_way += 1
            self._pace.sent(now)
            turn.set_result(None)

    def _look_again(self, after: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(after, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._let_go()
