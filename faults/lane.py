"""A namespace with everything that trials need, in which one trial after another is played."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults import manifests, poison
from faults.calls import Names
from faults.database import Database
from faults.injector import Injector
from faults.operators import PROGRAM, Operator, Settings
from faults.oracles import judge
from faults.plan import Fault, Plan
from faults.proxy import Upstreams
from faults.recipes import Undisturbed, events_of
from faults.record import Record
from faults.rows import differences
from faults.sabotage import Saboteur
from faults.stage import Stage
from faults.trial import PATIENCE_SECONDS, Trial
from faults.upstream import Upstream
from faults.witness import NotSeenError, Witness
from faults.workloads import WORKLOADS

JsonDict = dict[str, Any]

FIRE_SECONDS = 8.0
"""How long a fault may still come when the workload has ended: an Event, or an event of a watch."""

LEFT_SECONDS = 30.0
ROWS_SECONDS = 45.0
"""How long the operator may take to find out that the database is back."""

DECOYS = {"Pod": f"{poison.NAME}-a1", "Lease": "run-of-nobody"}


@dataclass(frozen=True)
class Verdict:
    """What became of a plan."""

    plan: Plan
    trial: str
    fired: bool
    wrong: list[str]
    seconds: float


class Lane:
    """One namespace, with one operator or two. `program` stands for the operator's own in tests of the oracles."""

    def __init__(
        self,
        upstream: Upstream,
        stage: Stage,
        folder: Path,
        program: tuple[str, ...] = PROGRAM,
        database: Database | None = None,
    ) -> None:
        self._upstream, self._stage, self._folder, self._program = upstream, stage, folder, program
        self._database = database
        self.witness = Witness(upstream, stage.namespace)
        self._saboteur = Saboteur(upstream, stage.namespace, database)
        self._injector = Injector()
        self._names = Names()
        self.operators: list[Operator] = []
        self._shape: tuple[int, int] = (0, 0)
        self._watching: asyncio.Task[None] | None = None
        self._number = 0

    async def open(self) -> None:
        """Make the namespace and what it holds, and what the operator must not touch or be stopped by."""
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
        if self._database is not None:
            await asyncio.to_thread(self._database.open)
        await self._stage.open()
        self._watching = asyncio.create_task(self.witness.run())
        await self._upstream.request("POST", self.witness.path("Pod"), manifests.foreign_pod(DECOYS["Pod"]))
        await self._upstream.request("POST", self.witness.path("Lease"), manifests.foreign_lease(DECOYS["Lease"]))
        poisonous = self._stage.manifest(manifests.run(poison.NAME))
        await self._upstream.request("POST", self.witness.path("AutopackRun"), poisonous)

    async def close(self, *, orderly: bool = True) -> list[str]:
        """Take it all away; returns what the operator had left behind, if it had the time to tidy up (`orderly`)."""
        await self._end_operators()
        left = await self._left_behind() if orderly else []
        await self._saboteur.abandon()
        if self._watching is not None:
            self._watching.cancel()
        await self._stage.close()
        if self._database is not None:
            await asyncio.to_thread(self._database.close)
        return left

    @property
    def namespace(self) -> str:
        """Its name."""
        return self._stage.namespace

    @property
    def asked(self) -> set[tuple[str, str]]:
        """(resource, verb) of every request that the operators have sent."""
        return {item for operator in self.operators for item in operator.asked}

    @property
    def refused(self) -> set[tuple[str, str]]:
        """(resource, verb) of every request that was answered with 403."""
        return {item for operator in self.operators for item in operator.refused}

    def expect(self, name: str, fault: Fault) -> None:
        """Plan a fault for what is called `name`, outside of a trial."""
        self._injector = Injector(trial=name, fault=fault)

    async def shape(self, operators: int, resync_seconds: int) -> None:
        """Have that many operators, with that setting."""
        if self._shape == (operators, resync_seconds):
            return
        await self._end_operators()
        self._shape = (operators, resync_seconds)
        namespace = self._stage.namespace
        account = f"system:serviceaccount:{namespace}:autopack-operator"
        upstreams = Upstreams(self._upstream, self._stage.volume(), account)
        variables = dict(await asyncio.to_thread(self._stage.environment, self._folder))
        if self._database is not None:
            variables["DATABASE_URL"] = self._database.url
        for number in range(operators):
            name = f"operator-{number}"
            settings = Settings(namespace, name, self._folder, resync_seconds, self._program, variables)
            operator = Operator(
                settings, upstreams, lambda: self._injector, self._names, self.operators, self._saboteur.disturb
            )
            self.operators.append(operator)
            await operator.start()
        await self.until_led()

    async def _end_operators(self) -> None:
        await asyncio.gather(*(operator.end() for operator in self.operators))
        self.operators.clear()
        self._shape = (0, 0)

    async def until_led(self) -> None:
        """Until an operator leads and watches. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not any([operator.watches and await operator.leads() for operator in self.operators]):
                await asyncio.sleep(0.1)

    async def observe(self, workload: str) -> tuple[Undisturbed, list[str]]:
        """Play a workload without a fault; also says what is wrong even so."""
        record, injector = await self._play(workload, Injector())
        expected = Undisturbed(injector.calls(), events_of(record), record.final)
        return expected, judge(record, record.final, len(record.sent))

    async def play(self, plan: Plan, expected: Undisturbed) -> Verdict:
        """Play one trial and judge it."""
        await self.shape(plan.operators, plan.resync_seconds)
        begun = asyncio.get_running_loop().time()
        record, injector = await self._play(plan.workload, Injector(fault=plan.fault))
        record.late = poison.lateness(plan)
        wrong = judge(record, expected.final, len(expected.calls), plan.fault.kind)
        seconds = asyncio.get_running_loop().time() - begun
        if wrong or not injector.fired:
            # What an odd trial left behind must not disturb the next.
            await self._end_operators()
        return Verdict(plan, record.name, injector.fired, wrong, seconds)

    async def _play(self, workload: str, injector: Injector) -> tuple[Record, Injector]:
        self._number += 1
        await self.until_led()
        self.witness.history.clear()
        injector.trial = f"t{self._number:04d}"
        self._injector = injector
        trial = Trial(injector.trial, self._upstream, self._stage, self.witness, injector)
        decoys, starts, error, begun = self._decoys(), self._starts(), "", time.monotonic()
        try:
            await WORKLOADS[workload](trial)
            await self._fired(injector)
            await self._saboteur.settled()
            await self.until_led()
            if injector.fault is not None and injector.fault.late_lease:
                await trial.released()
        except NotSeenError as what:
            error = str(what)
            await self._saboteur.settled()
        idle_from = await trial.quiet()
        record = await trial.record((decoys, self._decoys()), idle_from, self._starts() - starts, error)
        now = self.witness.find("AutopackRun", poison.NAME)
        record.poison = poison.of(injector.sent, self.witness.history, now, time.monotonic() - begun)
        if self._database is not None:
            await self._read_rows(record, self._database)
        await trial.clear()
        return record, injector

    async def _read_rows(self, record: Record, database: Database) -> None:
        """Once they say what the objects say; or, after a while, as they are."""
        uids = {item.body["metadata"]["uid"] for item in record.history}
        deadline = time.monotonic() + ROWS_SECONDS
        while True:
            record.evidence.rows = rows = await asyncio.to_thread(database.rows, uids)
            if time.monotonic() > deadline or not any(differences(rows, record.history)):
                return
            await asyncio.sleep(0.2)

    async def _fired(self, injector: Injector) -> None:
        with suppress(NotSeenError):
            await self.witness.until(lambda: self._happened(injector), "the fault", FIRE_SECONDS)

    def _happened(self, injector: Injector) -> bool:
        if injector.fault is None or not injector.fired:
            return injector.fault is None
        return not injector.fault.kind.of_database or self._database is None or self._database.away

    def _starts(self) -> int:
        return sum(operator.starts for operator in self.operators)

    def _decoys(self) -> JsonDict:
        found = {f"{kind} {name}": self.witness.find(kind, name) for kind, name in DECOYS.items()}
        return {name: _without_scheduling(body) for name, body in found.items()}

    async def _left_behind(self) -> list[str]:
        """Pods and Leases of runs, although no run exists any more."""
        await self._upstream.gone(self.witness.path("AutopackRun", poison.NAME))

        def left() -> list[str]:
            found = [(kind, body["metadata"]) for kind in ("Pod", "Lease") for body in self.witness.all(kind)]
            owned = [(kind, meta) for kind, meta in found if _belongs_to_a_run(meta)]
            return [f"{kind} {meta['name']}" for kind, meta in owned]

        with suppress(NotSeenError):
            await self.witness.until(lambda: not left(), "the end of everything", LEFT_SECONDS)
        return left()


def _belongs_to_a_run(meta: JsonDict) -> bool:
    return any(owner["kind"] == "AutopackRun" for owner in meta.get("ownerReferences") or ())


def _without_scheduling(body: JsonDict | None) -> JsonDict | None:
    """The scheduler may say again that it finds no node."""
    if body is None:
        return None
    meta = {name: value for name, value in body["metadata"].items() if name not in {"resourceVersion", "managedFields"}}
    return {"metadata": meta, "spec": body["spec"]}
