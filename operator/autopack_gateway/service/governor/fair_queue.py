"""Whose turn it is: higher priority first, then batches in turn, then runs of a batch in turn. Pure."""

from __future__ import annotations

import itertools
from collections import Counter, deque
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Line(NamedTuple):
    """Where a request stands. `batch` is that of the run, or the run itself where it has none."""

    priority: int
    batch: str
    run: str


class FairQueue(Generic[T]):
    """Takes whoever has the fewest under way; of those that have equally many, whoever was served longest ago."""

    def __init__(self) -> None:
        self._lines: dict[Line, deque[T]] = {}
        self._busy: Counter[str] = Counter()
        self._served: dict[str, int] = {}
        self._turns = itertools.count(1)

    def __len__(self) -> int:
        return sum(len(line) for line in self._lines.values())

    def push(self, line: Line, item: T) -> None:
        """Wait."""
        self._lines.setdefault(line, deque()).append(item)

    def remove(self, line: Line, item: T) -> None:
        """Wait no more; nothing happens if it did not."""
        waiting = self._lines.get(line)
        if waiting is not None and item in waiting:
            waiting.remove(item)
            self._tidy(line)

    def pop(self) -> tuple[Line, T]:
        """Take the next one, which is under way from now on. There must be one."""
        line = min(self._lines, key=self._rank)
        item = self._lines[line].popleft()
        self._tidy(line)
        for name in _names(line):
            self._busy[name] += 1
            self._served[name] = next(self._turns)
        return line, item

    def done(self, line: Line) -> None:
        """Say that one is not under way any more."""
        for name in _names(line):
            self._busy[name] -= 1
            if self._busy[name] <= 0:
                del self._busy[name]
        if not self._lines and not self._busy:
            # Nobody waits: nobody has a claim to be remembered.
            self._served.clear()

    def _rank(self, line: Line) -> tuple[int, int, int, int, int]:
        batch, run = _names(line)
        served = self._served
        return (
            -line.priority,
            self._busy.get(batch, 0),
            served.get(batch, 0),
            self._busy.get(run, 0),
            served.get(run, 0),
        )

    def _tidy(self, line: Line) -> None:
        if not self._lines[line]:
            del self._lines[line]


def _names(line: Line) -> tuple[str, str]:
    return f"batch {line.batch}", f"run {line.run}"
