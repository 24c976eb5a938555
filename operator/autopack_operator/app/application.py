"""The application, put together once: for the process, and for the tests' simulation of one."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from functools import partial

from autopack_operator.app.batch_deliveries import BatchDeliveries
from autopack_operator.app.batch_sight import BatchSight
from autopack_operator.app.batch_steps import BatchSteps
from autopack_operator.app.controller import Controller, Reconcile
from autopack_operator.app.deliveries import Deliveries
from autopack_operator.app.late_leases import LateLeases
from autopack_operator.app.orphans import Orphans
from autopack_operator.app.queue import WorkQueue
from autopack_operator.app.reconciler import Reconciler
from autopack_operator.app.resync import Resync
from autopack_operator.app.run_sight import RunSight
from autopack_operator.app.run_steps import RunSteps
from autopack_operator.app.spending import LOOK_SECONDS, SpendingBook
from autopack_operator.app.supervision import Part, PartEndedError, beside, every
from autopack_operator.app.turnstile import Turnstile
from autopack_operator.domain.batch import decide as batch_decide
from autopack_operator.domain.keys import Key, Kind
from autopack_operator.domain.pod.settings import PodSettings
from autopack_operator.domain.run import decide as run_decide
from autopack_operator.ports.ports import Ports

STUCK_SECONDS = 300.0
MAX_RUN_STEPS, MAX_BATCH_STEPS = 16, 64


class Application:
    """All that acts while the process leads."""

    def __init__(
        self,
        ports: Ports,
        pods: PodSettings,
        *,
        workers: int,
        resync_seconds: float,
        dashboard: str = "",
        random_fraction: Callable[[], float] = random.random,
    ) -> None:
        self._ports, self._resync_seconds = ports, resync_seconds
        self.leading = False
        self.queue: WorkQueue[Key] = WorkQueue(ports.clock.monotonic, random_fraction)
        self._spending: SpendingBook | None = None
        if ports.gateway is not None:
            self._spending = SpendingBook(ports.gateway, ports.cache, self.queue.add, ports.clock)
        self.resync = Resync(ports.lister, ports.cache, self.queue.add, ports.clock, resync_seconds, ports.history)
        self.controller = Controller(self.queue, self._reconcilers(pods, dashboard, workers), ports.telemetry, workers)
        orphans = Orphans(ports.lister, ports.volume)
        late = LateLeases(ports.lister, ports.cache, ports.leases)
        self.parts: dict[str, Part] = {
            "resync": self.resync.run,
            "orphans": partial(every, resync_seconds, orphans.look),
            "late leases": partial(every, resync_seconds, late.look),
            "history": ports.history.run,
            "events": ports.events.run,
        }
        if self._spending is not None:
            self.parts["spending"] = partial(every, LOOK_SECONDS, self._spending.look)

    def _reconcilers(self, pods: PodSettings, dashboard: str, workers: int) -> Mapping[Kind, Reconcile]:
        ports, enqueue = self._ports, self.queue.add
        turnstile = Turnstile(ports.cache, ports.clock, enqueue)
        runs = Reconciler(
            RunSight(ports.cache, self._crowded, self._spending),
            run_decide.decide,
            RunSteps(ports, turnstile, pods, self._spending),
            Deliveries(ports, dashboard, workers),
            turnstile,
            ports.clock,
            MAX_RUN_STEPS,
        )
        batches = Reconciler(
            BatchSight(ports.cache, ports.clock),
            batch_decide.decide,
            BatchSteps(ports, turnstile, enqueue),
            BatchDeliveries(ports),
            turnstile,
            ports.clock,
            MAX_BATCH_STEPS,
        )
        return {
            Kind.RUN: runs.reconcile,
            Kind.BATCH: batches.reconcile,
            Kind.PROFILE: turnstile.reconcile,
        }

    def _crowded(self) -> bool:
        """Requests wait for their slots, or runs for a worker."""
        return self._ports.crowded() or self.controller.crowded()

    def enqueue(self, key: Key) -> None:
        """Ask for a reconcile. A standby keeps no queue: it would grow for as long as it stands by, and be hours old
        when it leads.
        """
        if self.leading:
            self.queue.add(key)

    async def run(self) -> None:
        """Act as the leader until the queue is closed. Raises an ExceptionGroup when a part ends before that."""
        self.leading = True
        await self._ports.history.recall()
        while not await self.resync.once():
            await asyncio.sleep(1)
        for key in self._ports.cache.all_keys():
            self.queue.add(key)
        try:
            await beside(self.parts, self._work())
        finally:
            await self._ports.history.close()

    async def _work(self) -> None:
        await self.controller.run()
        if not self.queue.closed:
            raise PartEndedError("the workers ended while there was work")

    def checks(self) -> Mapping[str, Callable[[], str | None]]:
        """What the liveness probe asks: None when all is well, else what is wrong."""
        return {"queue": self._queue_moves, "resync": self._resync_is_fresh}

    def _queue_moves(self) -> str | None:
        age = self.queue.oldest_seconds() if self.leading else 0.0
        return f"a key has waited for {age:.0f} s" if age > STUCK_SECONDS else None

    def _resync_is_fresh(self) -> str | None:
        age = self._ports.clock.monotonic() - self.resync.done_at if self.leading else 0.0
        stale = age > max(3 * self._resync_seconds, STUCK_SECONDS)
        return f"the last comparison with the API server is {age:.0f} s old" if stale else None
