"""A namespace with the operator's real process and played pods: quick, and no image is needed."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from scripts import deploy

from autopack.phases import TERMINAL_PHASES
from faults.campaign import campaign
from faults.lane import Lane
from faults.upstream import Upstream
from faults.witness import phase

JsonDict = dict[str, Any]

_numbers = itertools.count(300)
"""A namespace that was deleted takes a while to go: each has a number of its own."""


class Played:
    """What tests ask of it."""

    def __init__(self, lane: Lane, upstream: Upstream) -> None:
        self.lane, self.upstream = lane, upstream

    async def create(self, manifest: JsonDict) -> JsonDict:
        """Create a run or a batch. Raises ApiError."""
        return await self.upstream.request("POST", self.lane.witness.path(manifest["kind"]), manifest)

    async def configmap(self, name: str, **content: JsonDict) -> None:
        """Create a ConfigMap with `data` or `binaryData`."""
        path = self.lane.witness.path("Pod").removesuffix("pods") + "configmaps"
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}} | content
        await self.upstream.request("POST", path, body)

    async def finished(self, name: str, kind: str = "AutopackRun") -> JsonDict:
        """The object, once it is in a terminal phase."""
        find = self.lane.witness.find
        await self.lane.witness.until(lambda: phase(find(kind, name)) in TERMINAL_PHASES, f"the end of {name}", 60)
        return json.loads(json.dumps(find(kind, name)))  # type: ignore[no-any-return]

    def pods(self, run: str) -> list[str]:
        """Names of the run's pods, those that are gone included."""
        seen = [item for item in self.lane.witness.history if item.kind == "Pod"]
        return sorted({item.name for item in seen if item.name.startswith(f"{run}-a")})


@asynccontextmanager
async def played() -> AsyncIterator[Played]:
    """Open one; it is taken away afterwards."""
    deploy.devcluster("up")
    deploy.kubectl("apply", "--server-side", "--force-conflicts", "-f", deploy.ROOT / "crds")
    upstream = Upstream.from_kubeconfig(Path(deploy.environment()["KUBECONFIG"]))
    try:
        async with campaign() as running, running.lane(next(_numbers)) as lane:
            await lane.shape(1, 300)
            yield Played(lane, upstream)
    finally:
        await upstream.close()
