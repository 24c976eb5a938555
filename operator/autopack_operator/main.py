"""The operator's process: wires the adapters to the application and runs until told to stop or no longer leading."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from typing import NoReturn

import uvloop

from autopack_operator.adapters.clock import SystemClock
from autopack_operator.adapters.gateway_http.client import HttpGateway
from autopack_operator.adapters.http.endpoints import Endpoints
from autopack_operator.adapters.informer.informer import Informer
from autopack_operator.adapters.kube.connection import Connection, NoCredentialsError
from autopack_operator.adapters.kube.election import KubeLeadership
from autopack_operator.adapters.kube.events import KubeEvents
from autopack_operator.adapters.kube.leases import KubeLeases
from autopack_operator.adapters.kube.lister import KubeLister
from autopack_operator.adapters.kube.objects import KubeBatches, KubeConfigMaps, KubePods, KubeProfiles, KubeRuns
from autopack_operator.adapters.publisher_http.absent import NoPublisher
from autopack_operator.adapters.publisher_http.client import HttpPublisher
from autopack_operator.adapters.registry.opening import open_history
from autopack_operator.adapters.telemetry import logs
from autopack_operator.adapters.telemetry.metrics import PrometheusTelemetry
from autopack_operator.adapters.volume_http.client import HttpVolume
from autopack_operator.app.application import Application
from autopack_operator.app.supervision import beside
from autopack_operator.cache import Cache, slimmed
from autopack_operator.ports.cluster import ApiError
from autopack_operator.ports.ports import Ports
from autopack_operator.settings import Settings, SettingsError

log = logging.getLogger("autopack_operator")

DRAIN_SECONDS = 20.0
ASK_AGAIN_SECONDS = 2.0
GARBAGE_AFTER = 5_000
"""Objects that may come to be before the collector looks for cycles among them; 700 by default."""


class Operator:
    """All parts of one process."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        namespace, clock, cache = settings.namespace, SystemClock(), Cache()
        # The leader's Lease is not paced: a renewal must not wait behind a thousand requests for its slot.
        self.leadership = KubeLeadership(connection, namespace, settings.leader_lease, settings.identity, clock)
        paced = connection.paced(settings.api_qps)
        fenced = paced.fenced(self.leadership.leads)
        history = open_history(settings.registry)
        # Whole is what the registry does not have yet.
        self.lister = KubeLister(paced, namespace, lambda run: run if history.wants(run) else slimmed(run))
        self.volume = HttpVolume(settings.volume_url, settings.volume_token_file)
        self.publisher = (
            HttpPublisher(settings.publisher_url, settings.publisher_token_file)
            if settings.publisher_url
            else NoPublisher()
        )
        told = settings.gateway
        self.gateway = HttpGateway(told.url, told.token_file) if told is not None else None
        self.telemetry = PrometheusTelemetry()
        ports = Ports(
            cache=cache,
            lister=self.lister,
            runs=KubeRuns(fenced),
            batches=KubeBatches(fenced),
            pods=KubePods(fenced),
            profiles=KubeProfiles(paced),
            configmaps=KubeConfigMaps(paced),
            leases=KubeLeases(fenced),
            events=KubeEvents(paced, settings.identity),
            volume=self.volume,
            publisher=self.publisher,
            history=history,
            telemetry=self.telemetry,
            clock=clock,
            crowded=paced.crowded,
            gateway=self.gateway,
        )
        self.application = Application(
            ports,
            settings.pods,
            workers=settings.workers,
            resync_seconds=settings.resync_seconds,
            dashboard=settings.dashboard_url,
        )
        self.informer = Informer(cache, namespace, self.application.enqueue)
        self.telemetry.watch_state(self.application.queue.depth, cache.phases)
        self.telemetry.watch_registry(lambda: history.problem)
        self.ready = False
        self.endpoints = Endpoints(
            settings.listen,
            self.application.checks(),
            lambda: None if self.ready else "the API server does not serve everything yet",
            self.telemetry.render,
        )

    async def run(self, stop: asyncio.Event) -> int:
        """Returns the exit code: 0 after a stop, 1 when a part failed. Ends the process when leadership is lost."""
        await self.endpoints.start()
        try:
            async with asyncio.TaskGroup() as group:
                serving = group.create_task(self._serve(stop))
                await stop.wait()
                await self._drain(serving)
                serving.cancel()
        except Exception:
            log.exception("a part of the operator ended")
            return 1
        finally:
            await self.informer.stop()
            await self.volume.close()
            await self.publisher.close()
            if self.gateway is not None:
                await self.gateway.close()
            await self.endpoints.stop()
        return 0

    async def _serve(self, stop: asyncio.Event) -> None:
        await self._served()
        await self.informer.start()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            # Once more: kopf has put its own handlers there, which know nothing of our leadership.
            loop.add_signal_handler(number, stop.set)
        self.ready = True
        _spare_the_collector()
        await beside({"informer": self.informer.ended}, self._lead())

    async def _served(self) -> None:
        """Wait for the CRDs and for the rights to read: kopf looks once, and would not watch what it did not find."""
        while True:
            try:
                await self.lister.probe()
            except ApiError as error:
                log.warning("not all resources can be listed yet (are the CRDs installed?): %s", error)
                await asyncio.sleep(ASK_AGAIN_SECONDS)
            else:
                return

    async def _lead(self) -> None:
        """Act while leading; ends with the queue, never with leadership, which ends the process."""
        await self.leadership.acquire()
        try:
            self.telemetry.leader.set(1)
            await beside({"leadership": self._hold}, self.application.run())
        finally:
            await self.leadership.release()

    async def _hold(self) -> NoReturn:
        """Ends the process in the very step in which leadership was found lost, before any other task has its turn."""
        try:
            await self.leadership.hold()
        except Exception:
            log.exception("leadership cannot be renewed")
        log.error("leadership was lost")
        _exit(1)

    async def _drain(self, serving: asyncio.Task[None]) -> None:
        """Hand out no more keys, and give those in work some time; then the Lease is released."""
        log.info("stopping")
        self.application.queue.close()
        if self.application.leading:
            await asyncio.wait({serving}, timeout=DRAIN_SECONDS)


def _spare_the_collector() -> None:
    """What there is by now is libraries, and stays: 150,000 objects, which the collector would go through again and
    again. That took 15% of this process's time at 5 runs a second, a tenth of a second at a time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER, *gc.get_threshold()[1:])


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
