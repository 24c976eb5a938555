"""Which run ran when, on which worker: runs laid out in as few lanes as were needed. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from autopack.measures import duration
from autopack.registry.reader import RunSummary

WIDTH, LEFT, ROW, TOP, BOTTOM = 1000, 70, 30, 8, 26
_LEAST_BAR = 4
_TICKS = 5
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400, 604800)


@dataclass(frozen=True)
class Bar:
    """One run in a lane; coordinates in the units of the picture."""

    run: RunSummary
    lane: int
    x: float
    y: float
    width: float
    label: str


@dataclass(frozen=True)
class Tick:
    """A mark on the axis."""

    x: float
    label: str


@dataclass(frozen=True)
class Timeline:
    """The whole picture: `lanes` are the workers' slots."""

    bars: list[Bar]
    ticks: list[Tick]
    lanes: int
    span: str

    @property
    def height(self) -> int:
        """Height of the picture."""
        return TOP + self.lanes * ROW + BOTTOM


def layout(runs: Iterable[RunSummary], now: datetime) -> Timeline | None:
    """Lay out all runs that have started; None if there is none. One that has not ended reaches until `now`.

    A run takes the first lane that is free at its start: as a slot of the batch was given to the next run.
    """
    spans = sorted(
        (
            (run.started_at, max(run.finished_at or now, run.started_at), run)
            for run in runs
            if run.started_at is not None
        ),
        key=lambda span: (span[0], span[2].run_id),
    )
    if not spans:
        return None
    start, end = spans[0][0], max(span[1] for span in spans)
    seconds = max(1.0, (end - start).total_seconds())
    scale = (WIDTH - LEFT - 8) / seconds
    free_at: list[datetime] = []
    bars = []
    for began, ended, run in spans:
        lane = next((lane for lane, free in enumerate(free_at) if free <= began), len(free_at))
        free_at[lane : lane + 1] = [ended]
        x = LEFT + (began - start).total_seconds() * scale
        width = max(_LEAST_BAR, (ended - began).total_seconds() * scale)
        x = min(x, WIDTH - 8 - width)
        label = duration((ended - began).total_seconds())
        bars.append(Bar(run, lane, round(x, 1), TOP + lane * ROW, round(width, 1), label))
    return Timeline(bars, _ticks(start, seconds, scale), len(free_at), duration(seconds))


def _ticks(start: datetime, seconds: float, scale: float) -> list[Tick]:
    longest = _STEPS[-1] * math.ceil(seconds / _TICKS / _STEPS[-1])
    step = next((step for step in _STEPS if seconds / step <= _TICKS), longest)
    form = "%H:%M:%S" if step < 60 else "%H:%M" if step < 86400 else "%d %b"
    first = step - start.timestamp() % step
    count = int((seconds - first) // step) + 1
    moments = [first + number * step for number in range(max(0, count))]
    return [
        Tick(round(LEFT + moment * scale, 1), (start + timedelta(seconds=moment)).strftime(form)) for moment in moments
    ]
