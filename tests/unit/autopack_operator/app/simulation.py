"""The operator's own core (queue, controller, reconcilers, informer cache, resync) over a cluster in memory.

An operator process can be killed at any request; the next one starts with what the cluster has stored.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from tests.unit.autopack_operator.app.held_loop import LoopClock, play
from tests.unit.autopack_operator.app.kubelet import Kubelet
from tests.unit.autopack_operator.app.referee import Referee
from tests.unit.autopack_operator.builders import SETTINGS, ObjectBuilder, ProfileBuilder
from tests.unit.autopack_operator.fake_api import FakeApi, Killed, Session
from tests.unit.autopack_operator.fakes import (
    FakeBatches,
    FakeConfigMaps,
    FakeGateway,
    FakeLeases,
    FakeLister,
    FakePods,
    FakeProfiles,
    FakePublisher,
    FakeRuns,
    FakeVolume,
    GatewayBooks,
    GitServer,
    NoHistory,
    RecordedEvents,
    SilentTelemetry,
    VolumeFiles,
)

from autopack.phases import TERMINAL_PHASES
from autopack_operator.adapters.informer.intake import Intake
from autopack_operator.app.application import Application
from autopack_operator.cache import Cache
from autopack_operator.domain import projection
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.views import BatchView, RunView
from autopack_operator.ports.ports import Ports

WORKERS = 3
RESYNC_SECONDS = 300.0
IDLE_SECONDS = 2 * 360.0
"""Long enough for two resyncs."""

RESTART_SECONDS = 1.0
PATIENCE_SECONDS = 1800.0
REST_LOOK_SECONDS = 5.0
"""Where nothing follows at once; each look costs as much as a request."""

PLURALS = {"AutopackRun": "autopackruns", "RunBatch": "runbatches", "RunProfile": "runprofiles", "Pod": "pods"}

Delivery = Callable[[str, JsonDict], list[float]]
"""An event of the watch -> the delays with which it is delivered: none, one, or more than one."""


def at_once(event: str, body: JsonDict) -> list[float]:
    """As a watch normally does."""
    return [0.001]


class Process:
    """One operator process: everything it has learnt dies with it."""

    def __init__(self, simulation: Simulation) -> None:
        self._delivery = simulation.delivery
        self.session = session = Session(simulation.api)
        cache = Cache()
        ports = Ports(
            cache=cache,
            lister=FakeLister(session),
            runs=FakeRuns(session),
            batches=FakeBatches(session),
            pods=FakePods(session),
            profiles=FakeProfiles(session),
            configmaps=FakeConfigMaps(session),
            leases=FakeLeases(session),
            events=simulation.events,
            volume=FakeVolume(session, simulation.files),
            publisher=FakePublisher(session, simulation.server),
            history=NoHistory(),
            telemetry=simulation.telemetry,
            clock=LoopClock(),
            crowded=lambda: simulation.crowded,
            gateway=FakeGateway(session, simulation.books) if simulation.metered else None,
        )
        self.application = Application(
            ports,
            SETTINGS,
            workers=WORKERS,
            resync_seconds=RESYNC_SECONDS,
            random_fraction=random.Random(7).random,  # noqa: S311 - a jitter
        )
        self._intake = Intake(cache, self.application.enqueue)

    async def run(self) -> None:
        """Act until killed."""
        self.session.api.watchers.append(self._hear)
        try:
            await self.application.run()
        except (Killed, BaseExceptionGroup):
            if self.session.alive:
                raise
        finally:
            self.session.alive = False
            self.session.api.watchers.remove(self._hear)

    def _hear(self, event: str, body: JsonDict) -> None:
        loop = asyncio.get_running_loop()
        for delay in self._delivery(event, body):
            loop.call_later(delay, self._take_in, event, body)

    def _take_in(self, event: str, body: JsonDict) -> None:
        if self.session.alive and body["kind"] in PLURALS:
            self._intake.take_in(PLURALS[body["kind"]], event, body)


@dataclass
class Simulation:
    """A cluster in memory with one operator, which is started again when it is killed."""

    delivery: Delivery = at_once
    crowded: bool = False
    """Whether requests wait for their turn all the time."""
    metered: bool = False
    """Whether the installation has a gateway."""

    def __post_init__(self) -> None:
        self.clock = LoopClock()
        self.api = FakeApi(self.clock.now)
        self.files, self.server, self.books = VolumeFiles(), GitServer(), GatewayBooks()
        self.kubelet = Kubelet(self.api, self.files)
        self.referee = Referee(self.api)
        self.events = RecordedEvents()
        self.telemetry = SilentTelemetry()
        self.api.add(ProfileBuilder().body())

    def apply(self, *objects: ObjectBuilder) -> None:
        """kubectl apply."""
        for built in objects:
            self.api.add(built.body())

    def allow_delivery(self, **policy: object) -> None:
        """An administrator lets runs deliver."""
        self.api.edit("RunProfile", "default", deliver={"targets": ["https://git.example/*"]} | policy)

    def delivered(self, name: str) -> str:
        """How far the delivery of that run is; empty while there is none."""
        found = (self.api.find("AutopackRun", name) or {}).get("status", {}).get("delivery")
        return found["state"] if found is not None else ""

    def run(self, name: str = "one") -> RunView:
        """That AutopackRun as stored."""
        return projection.run_view(self.api.get("AutopackRun", name))

    def batch(self, name: str = "many") -> BatchView:
        """That RunBatch as stored."""
        return projection.batch_view(self.api.get("RunBatch", name))

    def pods(self) -> list[str]:
        """Names of the pods that exist."""
        return sorted(body["metadata"]["name"] for body in self.api.all("Pod"))

    async def operate(self) -> None:
        """An operator process, and another one whenever it was killed."""
        while True:
            await Process(self).run()
            await asyncio.sleep(RESTART_SECONDS)

    async def until(self, fulfilled: Callable[[], bool], look_seconds: float = 0.5) -> None:
        """Let time pass until that is so; an AssertionError when it takes half an hour."""
        for _ in range(int(PATIENCE_SECONDS / look_seconds)):
            if fulfilled():
                return
            await asyncio.sleep(look_seconds)
        raise AssertionError(f"it does not come to an end: {self.summary()}")

    def ended(self) -> bool:
        """Every run and batch is finished."""
        objects = [*self.api.all("AutopackRun"), *self.api.all("RunBatch")]
        return all(body.get("status", {}).get("phase") in TERMINAL_PHASES for body in objects)

    async def rest(self) -> None:
        """What deleted runs left is imported; then an operator with nothing to do writes nothing."""
        await self.until(self.all_is_taken_in, REST_LOOK_SECONDS)
        written = len(self.api.requests)
        await asyncio.sleep(IDLE_SECONDS)
        assert self.api.requests[written:] == []

    def all_is_taken_in(self) -> bool:
        """No run that is gone has left work that was not imported."""
        living = {body["metadata"]["uid"] for body in self.api.all("AutopackRun")}
        return all(folder.committed or uid in living for (uid, _), folder in self.files.folders.items())

    async def end(self) -> None:
        """Until every run and batch is finished."""
        await self.until(self.ended, REST_LOOK_SECONDS)

    def summary(self) -> JsonDict:
        """What is stored, without times, versions and UIDs: two lives are equal when their summaries are."""
        return {
            body["kind"] + " " + body["metadata"]["name"]: _essence(body)
            for kind in ("AutopackRun", "RunBatch", "Pod", "Lease")
            for body in self.api.all(kind)
        }


_TIMES = {"since", "activeSince", "startedAt", "finishedAt", "duration", "nextAttemptAt", "lastStartAt"}
_APART = _TIMES | {"podUID", "conditions", "initContainerStatuses", "containerStatuses"}


def _essence(body: JsonDict) -> JsonDict:
    status, uid = body.get("status", {}), body["metadata"]["uid"]
    status = status | {name: _timeless(value) for name, value in status.items() if isinstance(value, dict)}
    kept = {name: _without(uid, value) for name, value in status.items() if name not in _APART}
    conditions = {item["type"]: f"{item['status']} {item.get('reason')}" for item in status.get("conditions", ())}
    return kept | {"conditions": conditions}


def _timeless(value: JsonDict) -> JsonDict:
    return {name: found for name, found in value.items() if name not in _TIMES}


def _without(uid: str, value: object) -> object:
    return value.replace(uid, "U").replace(uid[:8], "U") if isinstance(value, str) else value


Story = Callable[[Simulation], Awaitable[None]]
"""What people do, ending when the end is reached."""


def live(story: Story, prepare: Callable[[Simulation], None] = lambda _: None) -> Simulation:
    """Play a story with an operator in the background. Fouls and errors of the operator are failures."""

    async def program() -> Simulation:
        simulation = Simulation()
        prepare(simulation)
        operating = asyncio.create_task(simulation.operate())
        try:
            await story(simulation)
            await simulation.rest()
        finally:
            operating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await operating
        assert not simulation.referee.fouls, simulation.referee.fouls
        return simulation

    with no_errors_logged():
        return play(program())


class _Ear(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(f"{record.getMessage()}: {record.exc_info[1] if record.exc_info else ''}")


@contextlib.contextmanager
def no_errors_logged() -> Iterator[None]:
    """The operator met nothing that it does not know how to handle."""
    logger, ear = logging.getLogger("autopack_operator"), _Ear()
    logger.addHandler(ear)
    try:
        yield
    finally:
        logger.removeHandler(ear)
    assert not ear.heard, ear.heard
