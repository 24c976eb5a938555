"""One trial: what a workload can do, and the record that the oracles judge afterwards."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

from autopack.phases import TERMINAL_PHASES, PodPhase
from faults.injector import Injector, Sent
from faults.record import Record
from faults.stage import Stage
from faults.upstream import ApiError, Upstream
from faults.witness import Witness, phase

JsonDict = dict[str, Any]

PATIENCE_SECONDS = 300.0
QUIET_SECONDS = 0.4
RELEASE_SECONDS = 30.0
KINDS = {"autopackruns": "AutopackRun", "runbatches": "RunBatch"}


class Trial:
    """What the workloads use. Everything of it is called `name`, or begins with it and a dash."""

    def __init__(self, name: str, upstream: Upstream, stage: Stage, witness: Witness, injector: Injector) -> None:
        self.name = name
        self._upstream, self._stage, self._witness, self._injector = upstream, stage, witness, injector
        self._kind = "AutopackRun"
        self._made: list[tuple[str, str]] = []

    async def apply(self, manifest: JsonDict) -> None:
        """Create the object of the trial."""
        self._kind = manifest["kind"]
        manifest = self._stage.manifest(manifest)
        created = await self._upstream.request("POST", self._witness.path(self._kind), manifest)
        self._made.append((self._kind, manifest["metadata"]["name"]))
        self._injector.versions.append(created["metadata"]["resourceVersion"])

    async def edit(self, **spec: object) -> None:
        """Change its spec."""
        await self._upstream.merge(self._witness.path(self._kind, self.name), {"spec": spec})

    async def delete(self) -> None:
        """Delete it."""
        await self._upstream.gone(self._witness.path(self._kind, self.name), {"propagationPolicy": "Background"})

    async def reaches(self, wanted: str, attempt: int = 0, name: str = "") -> None:
        """Until the phase of the object (of that name, or the trial's own) is that. Raises NotSeenError."""
        name = name or self.name

        def there() -> bool:
            body = self._witness.find(self._kind, name) or {}
            return phase(body) == wanted and (body.get("status") or {}).get("attempt", 0) >= attempt

        await self._witness.until(there, f"{wanted} of {name}", PATIENCE_SECONDS)

    async def finished(self, name: str = "") -> None:
        """Until everything of the trial, or the object of that name, is in a terminal phase. Raises NotSeenError."""

        def ended() -> bool:
            if name:
                return phase(self._witness.find(self._kind, name)) in TERMINAL_PHASES
            ours = [body for kind in ("AutopackRun", "RunBatch") for body in self.objects(kind)]
            seen = all(self._witness.find(*made) is not None for made in self._made)
            return bool(ours) and seen and all(phase(body) in TERMINAL_PHASES for body in ours)

        await self._witness.until(ended, f"the end of {self.name}", PATIENCE_SECONDS)

    async def nothing_left(self) -> None:
        """Until nothing of the trial exists. Raises NotSeenError."""
        kinds = ("AutopackRun", "Pod", "Lease")
        await self._witness.until(
            lambda: not any(self.objects(kind) for kind in kinds), f"the deletion of {self.name}", PATIENCE_SECONDS
        )

    async def released(self) -> None:
        """Until no run of the trial holds a Lease. Raises NotSeenError."""
        await self._witness.until(lambda: not self.objects("Lease"), f"the release of {self.name}", RELEASE_SECONDS)

    def objects(self, kind: str) -> list[JsonDict]:
        """Those of the trial that exist."""
        return [body for body in self._witness.all(kind) if self.owns(kind, body)]

    def owns(self, kind: str, body: JsonDict) -> bool:
        """By name; Leases by that of their owner."""
        meta = body["metadata"]
        owners = [owner["name"] for owner in meta.get("ownerReferences") or ()]
        names = owners if kind == "Lease" else [meta["name"]]
        return any(name == self.name or name.startswith(f"{self.name}-") for name in names)

    async def quiet(self) -> float:
        """Until the operator has written nothing of the trial for a while; since when."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            last = max((sent.at for sent in self._injector.sent if self._of_trial(sent)), default=0.0)
            if time.monotonic() - last > QUIET_SECONDS:
                return last
            await asyncio.sleep(QUIET_SECONDS / 4)
        return time.monotonic()

    def _of_trial(self, sent: Sent) -> bool:
        return sent.call.mutating and not sent.call.of_leader and self._injector.normalised(sent.call.name) is not None

    async def record(self, decoys: tuple[JsonDict, JsonDict], idle_from: float, restarts: int, error: str) -> Record:
        """What the oracles judge."""
        history = [seen for seen in self._witness.history if self.owns(seen.kind, seen.body)]
        uids = {seen.body["metadata"]["uid"]: seen.name for seen in history if seen.kind == "AutopackRun"}
        return Record(
            name=self.name,
            history=history,
            sent=[sent for sent in self._injector.sent if self._of_trial(sent)],
            evidence=await self._stage.evidence(uids),
            final=self.summary(),
            decoys=decoys,
            idle_from=idle_from,
            restarts=restarts,
            error=error,
        )

    def summary(self) -> JsonDict:
        """What is stored, without times, versions and UIDs: two lives are equal when their summaries are."""
        return {
            f"{kind} {body['metadata']['name'].replace(self.name, '~')}": essence(body, self.name)
            for kind in ("AutopackRun", "RunBatch", "Pod")
            for body in self.objects(kind)
            if kind != "Pod" or ("deletionTimestamp" not in body["metadata"] and _counts(body))
        } | {"Leases": len(self.objects("Lease"))}

    async def clear(self) -> None:
        """Delete what the trial made; the garbage collector takes what belongs to it."""
        for kind in ("RunBatch", "AutopackRun"):
            for body in self.objects(kind):
                try:
                    await self._upstream.gone(self._witness.path(kind, body["metadata"]["name"]))
                except ApiError as error:
                    raise AssertionError(f"{self.name} cannot be deleted") from error


def command_state(pod: JsonDict) -> JsonDict:
    """State of the container that runs the command; empty before the node has told one."""
    for container in (pod.get("status") or {}).get("containerStatuses") or ():
        if container["name"] == "run":
            state: JsonDict = container.get("state") or {}
            return state
    return {}


def _counts(pod: JsonDict) -> bool:
    """Unless it has failed before its command began: one that arrives late, and is refused, makes no difference."""
    return phase(pod) != PodPhase.FAILED or "startedAt" in command_state(pod).get("terminated", {})


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_COMMIT = re.compile(r"\b[0-9a-f]{40}\b")
_NOT_COMPARED = frozenset({"duration", "podUID", "conditions", "containerStatuses", "initContainerStatuses"})
_OF_SPEC = frozenset({"podIP", "podIPs", "hostIP", "hostIPs", "qosClass", "observedGeneration", "manifestSHA256"})


def essence(body: JsonDict, name: str) -> JsonDict:
    """The status, comparable."""
    status, uid = body.get("status") or {}, body["metadata"]["uid"]
    skipped = _NOT_COMPARED | _OF_SPEC
    kept = {
        field: _without(uid, name, value)
        for field, value in status.items()
        if field not in skipped and not _is_time(value)
    }
    if body.get("kind") == "Pod":
        return {"phase": status.get("phase")}
    conditions = {item["type"]: f"{item['status']} {item.get('reason')}" for item in status.get("conditions") or ()}
    return kept | {"conditions": conditions}


def _is_time(value: object) -> bool:
    return isinstance(value, str) and _TIME.fullmatch(value) is not None


def _without(uid: str, name: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    return _COMMIT.sub("H", value.replace(uid, "U").replace(uid[:8], "U").replace(name, "~"))
