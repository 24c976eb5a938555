"""A namespace with everything that trials need, in which one trial after another is played."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults import manifests
from faults.calls import Names
from faults.injector import Injector
from faults.kubelet import PlayedKubelet
from faults.ledger import Ledger
from faults.operators import LEADER_LEASE, PROGRAM, Operator, Settings
from faults.oracles import judge
from faults.plan import Plan
from faults.proxy import Upstreams
from faults.recipes import Undisturbed, events_of
from faults.rights import grant
from faults.sabotage import Saboteur
from faults.scene import Scene
from faults.trial import PATIENCE_SECONDS, Record, Trial
from faults.upstream import Upstream
from faults.volume import PlayedVolume
from faults.witness import NotSeenError, Witness
from faults.workloads import WORKLOADS

JsonDict = dict[str, Any]

FIRE_SECONDS = 8.0
"""How long a fault may still come when the workload has ended: an Event, or an event of a watch."""

DECOYS = {"Pod": "poison-a1", "Lease": "run-of-nobody"}


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
        kubelet: PlayedKubelet,
        namespace: str,
        folder: Path,
        program: tuple[str, ...] = PROGRAM,
    ) -> None:
        self._upstream, self._kubelet, self._program = upstream, kubelet, program
        self.namespace, self._folder = namespace, folder
        ledger = Ledger()
        self._scene = Scene(namespace, ledger, PlayedVolume(ledger))
        self.witness = Witness(upstream, namespace)
        self._saboteur = Saboteur(upstream, namespace)
        self._injector = Injector()
        self._names = Names()
        self._operators: list[Operator] = []
        self._shape: tuple[int, int] = (0, 0)
        self._volume_upstream: Upstream | None = None
        self._watching: asyncio.Task[None] | None = None
        self._number = 0

    async def open(self) -> None:
        """Make the namespace and what it holds."""
        self._folder.mkdir(parents=True, exist_ok=True)
        await self._upstream.request("POST", "/api/v1/namespaces", manifests.namespace(self.namespace))
        core = f"/api/v1/namespaces/{self.namespace}"
        await self._upstream.request(
            "POST", "/api/v1/persistentvolumes", manifests.volume(self.namespace, self.namespace)
        )
        await self._upstream.request("POST", f"{core}/persistentvolumeclaims", manifests.claim(self.namespace))
        group = f"/apis/autopack.dev/v1alpha1/namespaces/{self.namespace}"
        await self._upstream.request("POST", f"{group}/runprofiles", manifests.profile(self._kubelet.node))
        await grant(self._upstream, self.namespace)
        await self._scene.volume.start()
        self._volume_upstream = Upstream(self._scene.volume.url)
        self._kubelet.scenes[self.namespace] = self._scene
        self._watching = asyncio.create_task(self.witness.run())
        await self._upstream.request("POST", f"{core}/pods", manifests.foreign_pod(DECOYS["Pod"]))
        await self._upstream.request("POST", self.witness.path("Lease"), manifests.foreign_lease(DECOYS["Lease"]))
        await self._upstream.request("POST", self.witness.path("AutopackRun"), manifests.run("poison"))

    async def close(self) -> list[str]:
        """Take it all away; returns what the operator had left behind."""
        await self._end_operators()
        left = await self._left_behind()
        if self._watching is not None:
            self._watching.cancel()
        await self._scene.volume.stop()
        if self._volume_upstream is not None:
            await self._volume_upstream.close()
        await self._upstream.gone(f"/api/v1/namespaces/{self.namespace}")
        await self._upstream.gone(f"/api/v1/persistentvolumes/{self.namespace}")
        return left

    async def shape(self, operators: int, resync_seconds: int) -> None:
        """Have that many operators, with that setting."""
        if self._shape == (operators, resync_seconds):
            return
        await self._end_operators()
        self._shape = (operators, resync_seconds)
        account = f"system:serviceaccount:{self.namespace}:autopack-operator"
        if self._volume_upstream is None:
            raise RuntimeError("the lane is not open")
        upstreams = Upstreams(self._upstream, self._volume_upstream, account)
        for number in range(operators):
            settings = Settings(self.namespace, f"operator-{number}", self._folder, resync_seconds, self._program)
            operator = Operator(
                settings, upstreams, lambda: self._injector, self._names, self._operators, self._saboteur.disturb
            )
            self._operators.append(operator)
            await operator.start()
        await self._until_led()

    async def _end_operators(self) -> None:
        await asyncio.gather(*(operator.end() for operator in self._operators))
        self._operators.clear()
        self._shape = (0, 0)

    async def _until_led(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not any([await operator.leads() for operator in self._operators]):
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
        wrong = judge(record, expected.final, len(expected.calls))
        seconds = asyncio.get_running_loop().time() - begun
        if wrong or not injector.fired:
            # What an odd trial left behind must not disturb the next.
            await self._end_operators()
        return Verdict(plan, record.name, injector.fired, wrong, seconds)

    async def _play(self, workload: str, injector: Injector) -> tuple[Record, Injector]:
        self._number += 1
        await self._until_led()
        self.witness.history.clear()
        injector.trial = f"t{self._number:04d}{self.namespace[-1]}"
        self._injector = injector
        trial = Trial(injector.trial, self._upstream, self._scene, self.witness, injector)
        decoys, starts, error = self._decoys(), self._starts(), ""
        try:
            await WORKLOADS[workload](trial)
            await self._fired(injector)
            await self._until_led()
        except NotSeenError as what:
            error = str(what)
        idle_from = await trial.quiet()
        record = trial.record((decoys, self._decoys()), idle_from, self._starts() - starts, error)
        await trial.clear()
        return record, injector

    async def _fired(self, injector: Injector) -> None:
        with suppress(NotSeenError):
            await self.witness.until(lambda: injector.fault is None or injector.fired, "the fault", FIRE_SECONDS)

    def _starts(self) -> int:
        return sum(operator.starts for operator in self._operators)

    def _decoys(self) -> JsonDict:
        found = {f"{kind} {name}": self.witness.find(kind, name) for kind, name in DECOYS.items()}
        return {name: _without_scheduling(body) for name, body in found.items()}

    async def _left_behind(self) -> list[str]:
        def left() -> list[str]:
            names = [(kind, body["metadata"]["name"]) for kind in ("Pod", "Lease") for body in self.witness.all(kind)]
            ours = [f"{kind} {name}" for kind, name in names if name not in {*DECOYS.values(), LEADER_LEASE}]
            return [name for name in ours if not name.startswith("Lease") or not self._of_poison(name)]

        await self._upstream.gone(self.witness.path("AutopackRun", "poison"))
        with suppress(NotSeenError):
            await self.witness.until(lambda: not left(), "the end of everything", 20)
        return left()

    def _of_poison(self, name: str) -> bool:
        body = self.witness.find("Lease", name.removeprefix("Lease ")) or {"metadata": {}}
        return any(owner["name"] == "poison" for owner in body["metadata"].get("ownerReferences") or ())


def _without_scheduling(body: JsonDict | None) -> JsonDict | None:
    """The scheduler may say again that it finds no node."""
    if body is None:
        return None
    meta = {name: value for name, value in body["metadata"].items() if name not in {"resourceVersion", "managedFields"}}
    return {"metadata": meta, "spec": body["spec"]}
