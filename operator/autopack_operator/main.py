"""The operator's process: wires the adapters to the application and runs until told to stop or no longer leading."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from typing import Any, NoReturn

import uvloop

from autopack_operator.adapters.clock import SystemClock
from autopack_operator.adapters.http.endpoints import Endpoints
from autopack_operator.adapters.informer.cache import InformerCache, slimmed
from autopack_operator.adapters.informer.informer import Informer
from autopack_operator.adapters.kube.connection import Connection, NoCredentialsError
from autopack_operator.adapters.kube.election import KubeLeadership
from autopack_operator.adapters.kube.events import KubeEvents
from autopack_operator.adapters.kube.leases import KubeLeases
from autopack_operator.adapters.kube.lister import KubeLister
from autopack_operator.adapters.kube.objects import KubeBatches, KubeConfigMaps, KubePods, KubeProfiles, KubeRuns
from autopack_operator.adapters.registry.history import RegistryHistory
from autopack_operator.adapters.registry.opening import open_history
from autopack_operator.adapters.telemetry import logs
from autopack_operator.adapters.telemetry.metrics import PrometheusTelemetry
from autopack_operator.adapters.volume_http.client import HttpVolume
from autopack_operator.app.anchors import AnchorReader
from autopack_operator.app.batch_reconciler import BatchReconciler
from autopack_operator.app.batch_steps import BatchPorts
from autopack_operator.app.controller import Controller
from autopack_operator.app.late_leases import LateLeases
from autopack_operator.app.orphans import Orphans
from autopack_operator.app.queue import WorkQueue
from autopack_operator.app.resync import Resync
from autopack_operator.app.run_memory import RunMemories
from autopack_operator.app.run_reconciler import RunReconciler
from autopack_operator.app.run_steps import RunPorts, RunSteps
from autopack_operator.app.transition_log import TransitionLog
from autopack_operator.app.turnstile import Turnstile
from autopack_operator.domain.keys import Key, Kind
from autopack_operator.domain.views import RunView
from autopack_operator.ports.cluster import GoneError, RejectedError, TransientError
from autopack_operator.settings import Settings, SettingsError

log = logging.getLogger("autopack_operator")

STUCK_SECONDS = 300.0
DRAIN_SECONDS = 20.0
ASK_AGAIN_SECONDS = 2.0
GARBAGE_AFTER = 5_000
"""Objects that may come to be before the collector looks for cycles among them; 700 by default."""


class Operator:
    """All parts of one process."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self.settings = settings
        # The leader's Lease is not paced: a renewal must not wait behind a thousand requests for its slot.
        self.connection = connection.paced(settings.api_qps)
        self.clock = SystemClock()
        self.telemetry = PrometheusTelemetry()
        self.cache = InformerCache()
        self.queue: WorkQueue[Key] = WorkQueue(self.clock.monotonic)
        self.informer = Informer(self.cache, settings.namespace, self._enqueue)
        self.volume = HttpVolume(settings.volume_url, settings.volume_token_file)
        self.events = KubeEvents(self.connection, settings.identity)
        self.leadership = KubeLeadership(
            connection, settings.namespace, settings.leader_lease, settings.identity, self.clock
        )
        self.fenced = self.connection.fenced(self.leadership.leads)
        self.leases = KubeLeases(self.fenced)
        self.lister = KubeLister(self.connection, settings.namespace, self._kept)
        self.history: RegistryHistory = open_history(settings.registry)
        self.resync = Resync(self.lister, self.cache, self._enqueue, self.clock, settings.resync_seconds, self.history)
        self.controller = self._controller()
        self.ready = self.leading = False
        self.telemetry.watch_state(self.queue.depth, self.cache.phases)
        self.telemetry.watch_registry(lambda: self.history.problem)
        self.endpoints = Endpoints(
            settings.listen,
            {"queue": self._queue_moves, "resync": self._resync_is_fresh},
            lambda: None if self.ready else "the API server does not serve everything yet",
            self.telemetry.render,
        )

    def _controller(self) -> Controller:
        anchors = AnchorReader(KubeConfigMaps(self.connection))
        transitions = TransitionLog(self.events, self.telemetry, self.history)
        runs = KubeRuns(self.fenced)
        memories, turnstile = RunMemories(), Turnstile(self.cache, self.clock, self.queue.add)
        steps = RunSteps(
            RunPorts(
                cache=self.cache,
                runs=runs,
                pods=KubePods(self.fenced),
                profiles=KubeProfiles(self.connection),
                leases=self.leases,
                volume=self.volume,
                anchors=anchors,
                telemetry=self.telemetry,
                transitions=transitions,
                turnstile=turnstile,
            ),
            self.settings.pods,
        )
        run_reconciler = RunReconciler(self.cache, steps, memories, self.clock, turnstile, self._crowded)
        batch_reconciler = BatchReconciler(
            BatchPorts(
                cache=self.cache,
                batches=KubeBatches(self.fenced),
                profiles=KubeProfiles(self.connection),
                runs=runs,
                anchors=anchors,
                transitions=transitions,
                clock=self.clock,
                enqueue=self.queue.add,
                turnstile=turnstile,
            )
        )
        reconcilers = {
            Kind.RUN: run_reconciler.reconcile,
            Kind.BATCH: batch_reconciler.reconcile,
            Kind.PROFILE: turnstile.reconcile,
        }
        return Controller(self.queue, reconcilers, self.telemetry, self.settings.workers)

    def _kept(self, run: RunView) -> RunView:
        """Whole is what the registry does not have yet."""
        return run if self.history.wants(run) else slimmed(run)

    def _enqueue(self, key: Key) -> None:
        # A standby keeps no queue: it would grow for as long as it stands by, and be hours old when it leads.
        if self.leading:
            self.queue.add(key)

    def _crowded(self) -> bool:
        """Requests wait for their slots, or runs for a worker."""
        return self.connection.crowded() or self.controller.crowded()

    def _queue_moves(self) -> str | None:
        age = self.queue.oldest_seconds() if self.leading else 0.0
        return f"a key has waited for {age:.0f} s" if age > STUCK_SECONDS else None

    def _resync_is_fresh(self) -> str | None:
        age = self.clock.monotonic() - self.resync.done_at if self.leading else 0.0
        stale = age > max(3 * self.resync.interval_seconds, STUCK_SECONDS)
        return f"the last comparison with the API server is {age:.0f} s old" if stale else None

    async def run(self, stop: asyncio.Event) -> int:
        """Returns the exit code: 0 after a stop, 1 when a part failed. Ends the process when leadership is lost."""
        await self.endpoints.start()
        stopped = asyncio.create_task(stop.wait())
        serving = asyncio.create_task(self._serve(stop))
        telling = asyncio.create_task(self.events.run())
        tasks = (stopped, serving, telling)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                await self._drain(serving)
                return 0
            for task in (serving, telling):
                if task.done():
                    log.error("a part of the operator ended", exc_info=task.exception())
            return 1
        finally:
            await _canceled(*tasks)
            await self.informer.stop()
            await self.volume.close()
            await self.endpoints.stop()

    async def _serve(self, stop: asyncio.Event) -> None:
        await self._served()
        await self.informer.start()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            # Once more: kopf has put its own handlers there, which know nothing of our leadership.
            loop.add_signal_handler(number, stop.set)
        self.ready = True
        _spare_the_collector()
        ended, lead = asyncio.create_task(self.informer.ended()), asyncio.create_task(self._lead())
        try:
            done, _ = await asyncio.wait({ended, lead}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await _canceled(ended, lead)

    async def _served(self) -> None:
        """Wait for the CRDs and for the rights to read: kopf looks once, and would not watch what it did not find."""
        while True:
            try:
                await self.lister.probe()
            except (GoneError, RejectedError, TransientError) as error:
                log.warning("not all resources can be listed yet (are the CRDs installed?): %s", error)
                await asyncio.sleep(ASK_AGAIN_SECONDS)
            else:
                return

    async def _lead(self) -> None:
        """Act while leading; ends with the queue, never with leadership, which ends the process."""
        await self.leadership.acquire()
        hold = asyncio.create_task(self.leadership.hold())
        hold.add_done_callback(_end_if_lost)
        try:
            self.leading = True
            self.telemetry.leader.set(1)
            await self.history.recall()
            while not await self.resync.once():
                await asyncio.sleep(1)
            for key in self.cache.all_keys():
                self.queue.add(key)
            resync = asyncio.create_task(self.resync.run())
            orphans = Orphans(self.lister, self.volume, self.resync.interval_seconds)
            looking = asyncio.create_task(orphans.run())
            late = LateLeases(self.lister, self.cache, self.leases, self.resync.interval_seconds)
            releasing = asyncio.create_task(late.run())
            recording = asyncio.create_task(self.history.run())
            try:
                await self.controller.run()
            finally:
                await _canceled(resync, looking, releasing, recording)
                await self.history.close()
        finally:
            await _canceled(hold)
            await self.leadership.release()

    async def _drain(self, serving: asyncio.Task[None]) -> None:
        """Hand out no more keys, and give those in work some time; then the Lease is released."""
        log.info("stopping")
        self.queue.close()
        if self.leading:
            await asyncio.wait({serving}, timeout=DRAIN_SECONDS)


def _spare_the_collector() -> None:
    """What there is by now is libraries, and stays: 150,000 objects, which the collector would go through again and
    again. That took 15% of this process's time at 5 runs a second, a tenth of a second at a time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER, *gc.get_threshold()[1:])


async def _canceled(*tasks: asyncio.Task[Any]) -> None:
    """Cancel the tasks and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def _end_if_lost(hold: asyncio.Task[None]) -> None:
    """Runs in the very turn of the event loop in which leadership was found lost, before any other task does."""
    if not hold.cancelled():
        log.error("leadership was lost", exc_info=hold.exception())
        _exit(1)


def _exit(code: int) -> NoReturn:
    """At once, whatever still runs: after the loss of leadership nothing of ours may act any more."""
    logging.shutdown()
    os._exit(code)


async def serve(settings: Settings) -> int:
    """Run one operator process."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    connection = await Connection.open()
    try:
        return await Operator(settings, connection).run(stop)
    finally:
        with contextlib.suppress(OSError):
            await connection.close()


def main() -> None:
    """Entry point of `autopack-operator`."""
    try:
        settings = Settings.from_environment(os.environ)
        logs.set_up(settings.log_level)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            code = runner.run(serve(settings))
    except (SettingsError, NoCredentialsError) as error:
        print(f"autopack-operator: {error}", file=sys.stderr)
        sys.exit(2)
    _exit(code)


if __name__ == "__main__":
    main()
