"""Stopping a batch: first no new runs, then the end of those that are under way."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Iterator
from enum import IntEnum
from queue import SimpleQueue
from types import FrameType

from .process import ProcessGroup


class Level(IntEnum):
    """How urgently the batch is to end."""

    GO_ON = 0
    DRAIN = 1
    STOP = 2
    KILL = 3


class StopControl:
    """What the supervisor's threads ask before they begin something, and which process groups are to be ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._level = Level.GO_ON
        self._groups: set[ProcessGroup] = set()
        self._draining = threading.Event()

    @property
    def level(self) -> Level:
        """How urgently the batch is to end."""
        return self._level

    @property
    def draining(self) -> bool:
        """Whether nothing new may begin."""
        return self._draining.is_set()

    def pause(self, seconds: float) -> bool:
        """Wait, but no longer than until nothing new may begin; tell whether it still may."""
        return not self._draining.wait(seconds)

    def raise_to(self, level: Level) -> None:
        """Make it more urgent, never less, and end what is under way if that is what it means."""
        with self._lock:
            if level <= self._level:
                return
            self._level = level
            groups = list(self._groups)
        self._draining.set()
        if level >= Level.STOP:
            self._end(groups)

    @contextlib.contextmanager
    def watching(self, group: ProcessGroup) -> Iterator[None]:
        """Have the group ended too, should it come to that; also if it has come to that just now."""
        with self._lock:
            self._groups.add(group)
            level = self._level
        if level >= Level.STOP:
            self._end([group])
        try:
            yield
        finally:
            with self._lock:
                self._groups.discard(group)

    def _end(self, groups: list[ProcessGroup]) -> None:
        """End groups side by side, each within the same grace, without waiting here."""
        grace = {"grace": 0.0} if self._level >= Level.KILL else {}
        for group in groups:
            threading.Thread(target=group.stop, kwargs=grace, name="stop", daemon=True).start()


@contextlib.contextmanager
def signals_into(inbox: SimpleQueue[object]) -> Iterator[None]:
    """Put a Level into `inbox` for every signal: Ctrl-C raises by one, SIGTERM and SIGHUP stop at once.

    A thread of its own reads the numbers that the interpreter writes to the wakeup file descriptor the moment a signal
    comes. A Python handler would not do: it runs between two bytecodes of the main thread, so a signal that comes just
    before that thread sleeps in `inbox.get()` would wait for the next item, for as long as the runs last.

    Signals belong to the main thread; called in another one this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours, interpreters = socket.socketpair()
    interpreters.setblocking(False)
    reader = threading.Thread(target=_read_signals, args=(ours, inbox), name="signals", daemon=True)
    with ours, interpreters:
        wakeup = signal.set_wakeup_fd(interpreters.fileno(), warn_on_full_buffer=False)
        previous = {number: signal.signal(number, _leave_to_the_reader) for number in _ENDING}
        reader.start()
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(wakeup)
            interpreters.shutdown(socket.SHUT_WR)
            reader.join()


_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _leave_to_the_reader(_number: int, _frame: FrameType | None) -> None:
    """Handle a signal by nothing more than what the wakeup file descriptor does."""


def _read_signals(numbers: socket.socket, inbox: SimpleQueue[object]) -> None:
    level = Level.GO_ON
    while received := numbers.recv(64):
        for number in received:
            if number in _ENDING:
                least = Level.DRAIN if number == signal.SIGINT else Level.STOP
                level = Level(min(max(level + 1, least), Level.KILL))
                inbox.put(level)
