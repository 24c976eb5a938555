"""Plays plans in several lanes at once, and counts."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts import deploy

from faults.database import Database
from faults.kubelet import PlayedKubelet
from faults.lane import Lane, Verdict
from faults.leftovers import remove, sweep
from faults.operators import PROGRAM
from faults.plan import Plan, Plans
from faults.real import RealStage
from faults.recipes import Undisturbed
from faults.stage import PlayedStage, Stage
from faults.upstream import Upstream
from faults.workloads import WORKLOADS

JsonDict = dict[str, Any]

FOLDER = deploy.ROOT / ".faults"
RECORDINGS = 3
NODE_MINUTES = 6.0
"""What it takes to kill every component at every moment, and to make the lane for that."""

REPORT_EVERY = 25
DATABASE_LANES = 2
APART = frozenset({"node", "database"})
"""Categories of plans that are not played in the common lanes."""


@dataclass
class Tally:
    """What the last line says."""

    begun: float = field(default_factory=time.monotonic)
    by_class: Counter[str] = field(default_factory=Counter)
    never_fired: int = 0
    violations: int = 0
    odd: list[Plan] = field(default_factory=list)

    @property
    def trials(self) -> int:
        """Played so far."""
        return self.by_class.total()

    def count(self, verdict: Verdict) -> None:
        """Count a trial, and say what is wrong with it."""
        self.by_class[verdict.plan.category] += 1
        self.never_fired += not verdict.fired
        self.violations += len(verdict.wrong)
        if verdict.wrong or not verdict.fired:
            self.odd.append(verdict.plan)
            said = "; ".join(verdict.wrong) if verdict.fired else "; ".join(["the fault never fired", *verdict.wrong])
            print(f"WRONG {verdict.trial} {verdict.plan} ({verdict.seconds:.1f} s): {said}", flush=True)
        if self.trials % REPORT_EVERY == 0:
            print(f"{self.trials} trials, {self.per_minute:.0f} a minute, {len(self.odd)} wrong", flush=True)

    def left(self, names: Iterable[str]) -> None:
        """What the operator left behind in a lane is wrong as well."""
        for name in names:
            self.violations += 1
            print(f"WRONG left behind: {name}", flush=True)

    @property
    def per_minute(self) -> float:
        """Trials a minute."""
        return self.trials * 60 / max(time.monotonic() - self.begun, 1e-9)

    def line(self) -> str:
        """The last line of a campaign."""
        return json.dumps(
            {
                "trials": self.trials,
                "violations": self.violations,
                "by_class": dict(sorted(self.by_class.items())),
                "never_fired": self.never_fired,
                "trials_per_minute": round(self.per_minute, 1),
                "seconds": round(time.monotonic() - self.begun),
            }
        )


def room_for_nodes(minutes: float) -> float:
    """What of a campaign's minutes is kept for killing components, which comes last."""
    return min(NODE_MINUTES, minutes / 2)


class Campaign:
    """On one played node."""

    def __init__(self, upstream: Upstream, kubelet: PlayedKubelet) -> None:
        self._upstream, self._kubelet = upstream, kubelet
        self.tally = Tally()

    @asynccontextmanager
    async def lane(
        self, number: int, program: tuple[str, ...] = PROGRAM, *, real: bool = False, database: bool = False
    ) -> AsyncIterator[Lane]:
        """An open lane; its operator writes to a Postgres of its own, or to a SQLite file."""
        namespace = f"{self._kubelet.node}-{'real-' if real else 'db-' if database else ''}{number}"
        played = PlayedStage(self._upstream, self._kubelet, namespace)
        stage: Stage = RealStage(self._upstream, namespace) if real else played
        own = Database() if database else None
        lane = Lane(self._upstream, stage, FOLDER / "logs" / namespace, program, own)
        await lane.open()
        orderly = False
        try:
            yield lane
            orderly = True
        finally:
            self.tally.left(await lane.close(orderly=orderly))

    async def record(self, workloads: Iterable[str] = WORKLOADS) -> dict[str, Undisturbed]:
        """Play each workload without a fault, several times; keep what came every time."""
        async with self.lane(0) as lane:
            await lane.shape(1, 300)
            lives = {name: await self._lives(lane, name) for name in workloads}
        print(
            f"recorded {sum(len(life.calls) for life in lives.values())} requests of {len(lives)} workloads", flush=True
        )
        return lives

    async def _lives(self, lane: Lane, name: str) -> Undisturbed:
        common: Undisturbed | None = None
        for _ in range(RECORDINGS):
            life, wrong = await lane.observe(name)
            if wrong or (common is not None and life.final != common.final):
                raise AssertionError(f"{name} is not right even without a fault: {wrong or life.final}")
            common = life if common is None else common.common(life)
        if common is None:
            raise AssertionError("nothing was recorded")
        return common

    async def play(
        self, plans: list[Plan], lives: dict[str, Undisturbed], lanes: int, real_lanes: int, minutes: float
    ) -> None:
        """Play them, in so many lanes with played pods and so many with real ones; none begins after the minutes."""
        self.tally.begun = time.monotonic()
        # At the end and one by one: they disturb everybody.
        disturbing = deque(plan for plan in plans if plan.category == "node")
        last = self.tally.begun + 60 * minutes
        first = last - 60 * room_for_nodes(minutes) if disturbing else last

        async def work(
            number: int, waiting: deque[Plan], end: float, *, real: bool = False, database: bool = False
        ) -> None:
            async with self.lane(number, real=real, database=database) as lane:
                while waiting and time.monotonic() < end:
                    plan = waiting.popleft()
                    self.tally.count(await lane.play(plan, lives[plan.workload]))

        async with asyncio.TaskGroup() as group:
            for real, most in ((False, lanes), (True, real_lanes)):
                waiting = deque(plan for plan in plans if plan.real is real and plan.category not in APART)
                for number in range(1, min(most, len(waiting)) + 1):
                    group.create_task(work(number, waiting, first, real=real))
            waiting = deque(plan for plan in plans if plan.category == "database")
            for number in range(1, min(DATABASE_LANES, len(waiting)) + 1):
                group.create_task(work(number, waiting, first, database=True))
        if disturbing:
            await work(real_lanes + 1, disturbing, last, real=True)


@asynccontextmanager
async def campaign() -> AsyncIterator[Campaign]:
    """A campaign with its played node; both are gone afterwards, also when SIGINT or SIGTERM ends it.

    Raises KeyboardInterrupt after either.
    """
    upstream = Upstream.from_kubeconfig(Path(deploy.environment()["KUBECONFIG"]))
    prefix = deploy.own_namespace("faults-")
    await sweep(upstream, prefix)
    node = f"{prefix}{os.getpid()}"
    kubelet = PlayedKubelet(upstream, node)
    await kubelet.register()
    playing = asyncio.create_task(kubelet.run())
    stop = _canceled_by_signals()
    try:
        yield Campaign(upstream, kubelet)
    except asyncio.CancelledError:
        if stop.is_set():
            raise KeyboardInterrupt from None
        raise
    finally:
        playing.cancel()
        await _take_away(upstream, node)
        await upstream.close()


def _canceled_by_signals() -> asyncio.Event:
    """Have SIGINT and SIGTERM cancel the current task; says whether one has. A second one does not hurry the first."""
    stop, own = asyncio.Event(), asyncio.current_task()

    def cancel() -> None:
        if own is not None and not stop.is_set():
            stop.set()
            print("stopping: what was made on the cluster is taken away", flush=True)
            own.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, cancel)
    return stop


async def _take_away(upstream: Upstream, node: str) -> None:
    await remove(upstream, node)
    # An installation that was under way in a thread may have gone on meanwhile.
    await asyncio.get_running_loop().shutdown_default_executor()
    await remove(upstream, node)


def store(name: str, plans: list[Plan]) -> Path:
    """Write plans where they can be played again from."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / name
    path.write_text(Plans(plans=plans).model_dump_json(indent=1))
    return path
