"""Plays a kubelet: the pods that the scheduler puts onto its node run as their own arguments say.

Arguments of the `run` container: `seconds=S` (or `forever`) and `exit=C[,C…]`, one exit code an attempt, the last for
all later ones; `oom=N`: the first N attempts run out of memory; `fill`: it fills its quota instead of ending. The node
is real to the API server and the scheduler; no process is started.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp

from autopack.phases import PodPhase
from faults.ledger import Execution
from faults.scene import Scene
from faults.upstream import ApiError, Upstream

JsonDict = dict[str, Any]

STARTING_SECONDS = 0.05
STOPPING_SECONDS = 0.2
BEAT_SECONDS = 0.1
ORPHAN_SECONDS = 0.5
"""How long a container outlives its pod object, when that was removed by force: what a kubelet needs to notice."""

HEARTBEAT_SECONDS = 10.0


@dataclass(frozen=True)
class Ending:
    """How a command ends. `recorded` unless nobody was left to write the exit code down."""

    exit_code: int
    reason: str = "Error"
    recorded: bool = True
    stop_reason: str | None = None
    """Why the keeper has stopped it."""


FORCED = Ending(137, recorded=False)
STOPPED = Ending(143)
OUT_OF_MEMORY = Ending(137, "OOMKilled")
OVER_QUOTA = Ending(143, stop_reason="DiskQuotaExceeded")


@dataclass(frozen=True)
class Fate:
    """What becomes of the command."""

    seconds: float | None
    ending: Ending

    @classmethod
    def of(cls, pod: JsonDict) -> Fate:
        """Read it from the pod."""
        [run] = [item for item in pod["spec"]["containers"] if item["name"] == "run"]
        words = dict(word.partition("=")[::2] for word in run.get("args", ()))
        codes = [int(code) for code in words.get("exit", "0").split(",")]
        attempt = int(pod["metadata"]["labels"]["autopack.dev/attempt"])
        seconds = None if "forever" in words else float(words.get("seconds", "0.2"))
        if "fill" in words:
            return cls(seconds, OVER_QUOTA)
        if attempt <= int(words.get("oom", "0")):
            return cls(seconds, OUT_OF_MEMORY)
        code = codes[min(attempt, len(codes)) - 1]
        return cls(seconds, Ending(code, "Error" if code else "Completed"))


class PlayedKubelet:
    """One node for all lanes; `scenes` are found by namespace."""

    def __init__(self, upstream: Upstream, node: str) -> None:
        self._upstream, self.node = upstream, node
        self.scenes: dict[str, Scene] = {}
        self._pods: dict[str, _Pod] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def register(self) -> None:
        """The node, ready and roomy, for pods of the RuntimeClass of the same name."""
        room = {"cpu": "1000", "memory": "1000Gi", "pods": "5000"}
        node = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.node, "labels": {"autopack.dev/played": self.node}},
            # Real pods of others must not land here: nobody would ever start them.
            "spec": {"taints": [{"key": "autopack.dev/played", "value": self.node, "effect": "NoSchedule"}]},
        }
        await self._upstream.request("POST", "/api/v1/nodes", node)
        await self._upstream.merge(
            f"/api/v1/nodes/{self.node}/status",
            {"status": {"capacity": room, "allocatable": room, "conditions": [_ready()]}},
        )
        runtime = {
            "apiVersion": "node.k8s.io/v1",
            "kind": "RuntimeClass",
            "metadata": {"name": self.node},
            "handler": "played",
            "scheduling": {
                "nodeSelector": {"autopack.dev/played": self.node},
                "tolerations": [{"key": "autopack.dev/played", "operator": "Exists", "effect": "NoSchedule"}],
            },
        }
        await self._upstream.request("POST", "/apis/node.k8s.io/v1/runtimeclasses", runtime)

    async def run(self) -> None:
        """Play until canceled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._report_health())
            group.create_task(self._watch())

    async def _report_health(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            with suppress(ApiError, OSError, aiohttp.ClientError):
                await self._upstream.merge(f"/api/v1/nodes/{self.node}/status", {"status": {"conditions": [_ready()]}})

    async def _watch(self) -> None:
        async for event, pod in self._upstream.events("/api/v1/pods", f"fieldSelector=spec.nodeName={self.node}"):
            meta = pod["metadata"]
            known = self._pods.get(meta["uid"])
            if event == "DELETED":
                if known is not None:
                    known.forced.set()
            elif known is None and meta["namespace"] in self.scenes:
                known = self._pods[meta["uid"]] = _Pod(self._upstream, self.scenes[meta["namespace"]], pod)
                task = asyncio.create_task(known.live())
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            if known is not None and "deletionTimestamp" in meta:
                known.asked.set()


class _Pod:
    def __init__(self, upstream: Upstream, scene: Scene, body: JsonDict) -> None:
        self._upstream, self._scene, self._body = upstream, scene, body
        self.asked, self.forced = asyncio.Event(), asyncio.Event()
        meta = body["metadata"]
        [owner] = meta["ownerReferences"]
        self._run, self._key = owner["name"], (owner["uid"], int(meta["labels"]["autopack.dev/attempt"]))

    async def live(self) -> None:
        with suppress(ApiError, OSError, aiohttp.ClientError):
            await asyncio.sleep(STARTING_SECONDS)
            if not self.asked.is_set():
                await self._execute()
            if self.asked.is_set() or await self.asked.wait():
                await self._remove()

    async def _execute(self) -> None:
        if self._scene.ledger.began(self._key):
            # As the workspace container does: it refuses a folder in which a command has begun.
            await self._report(PodPhase.FAILED, None, workspace_code=20)
            return
        meta, started = self._body["metadata"], _now()
        execution = self._scene.ledger.begin(self._run, *self._key, meta["name"])
        self._scene.ledger.beat(execution)
        fate, stopping = Fate.of(self._body), asyncio.create_task(self._beat(execution))
        try:
            await self._report(PodPhase.RUNNING, {"running": {"startedAt": started}})
            ending = await self._outcome(fate)
        finally:
            stopping.cancel()
            self._scene.ledger.end(execution)
        if ending.recorded:
            self._scene.volume.exit_codes.setdefault(self._key, ending.exit_code)
        if ending.stop_reason is not None:
            self._scene.volume.stop_reasons[self._key] = ending.stop_reason
        ended = {
            "exitCode": ending.exit_code,
            "startedAt": started,
            "finishedAt": _now(),
            "reason": ending.reason,
        }
        await self._report(PodPhase.FAILED if ending.exit_code else PodPhase.SUCCEEDED, {"terminated": ended})

    async def _outcome(self, fate: Fate) -> Ending:
        """How it ends: by itself, stopped on request, or its pod object removed by force."""
        waits = [asyncio.create_task(event.wait()) for event in (self.forced, self.asked)]
        try:
            await asyncio.wait(waits, timeout=fate.seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if self.forced.is_set():
            await asyncio.sleep(ORPHAN_SECONDS)
            return FORCED
        if self.asked.is_set():
            await asyncio.sleep(STOPPING_SECONDS)
            return STOPPED
        return fate.ending

    async def _beat(self, execution: Execution) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            self._scene.ledger.beat(execution)

    async def _report(self, phase: str, run: JsonDict | None, workspace_code: int = 0) -> None:
        meta = self._body["metadata"]
        workspace = {"terminated": {"exitCode": workspace_code, "finishedAt": _now(), "startedAt": _now()}}
        status: JsonDict = {
            "phase": phase,
            "initContainerStatuses": [_container("workspace", workspace)],
            "containerStatuses": [_container("run", run)] if run is not None else [],
        }
        where = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/status"
        await self._upstream.merge(where, {"metadata": {"uid": meta["uid"]}, "status": status})

    async def _remove(self) -> None:
        meta = self._body["metadata"]
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": meta["uid"]}}
        await self._upstream.gone(f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}", options)


def _container(name: str, state: JsonDict) -> JsonDict:
    common = {"image": "played", "imageID": "", "restartCount": 0, "ready": "running" in state}
    return {"name": name, "state": state} | common


def _ready() -> JsonDict:
    now = _now()
    return {"type": "Ready", "status": "True", "reason": "Played", "lastHeartbeatTime": now, "lastTransitionTime": now}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
