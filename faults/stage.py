"""Where the pods of a lane live: on the played node, or (real.py) on the real one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from faults import manifests
from faults.kubelet import PlayedKubelet
from faults.ledger import Attempt, Execution, Ledger
from faults.rights import grant
from faults.rows import Rows
from faults.scene import Scene
from faults.upstream import Upstream
from faults.volume import Commit, PlayedVolume

JsonDict = dict[str, Any]


@dataclass
class Evidence:
    """What is known past the API server about the runs of a trial."""

    executions: list[Execution] = field(default_factory=list)
    acknowledged: dict[Attempt, list[str]] = field(default_factory=dict)
    stored: dict[Attempt, list[str]] = field(default_factory=dict)
    commits: dict[Attempt, Commit] = field(default_factory=dict)
    rows: Rows | None = None
    """What the registry's database holds of them; None without one."""


class Stage(Protocol):
    """One lane's."""

    namespace: str

    async def open(self) -> None:
        """Make the namespace and what runs need."""

    async def close(self) -> None:
        """Take it all away."""

    def volume(self) -> Upstream:
        """The volume service."""

    def environment(self, folder: Path) -> Mapping[str, str]:
        """Variables of the operator that depend on where its pods live; `folder` is for its token."""

    def manifest(self, manifest: JsonDict) -> JsonDict:
        """The object of a workload, for this stage."""

    async def evidence(self, uids: Mapping[str, str]) -> Evidence:
        """About the runs of these UIDs (UID -> name)."""


def profiles(namespace: str) -> str:
    """URL path of the RunProfiles."""
    return f"/apis/autopack.dev/v1alpha1/namespaces/{namespace}/runprofiles"


class PlayedStage:
    """Implements Stage on the played node and the played volume service."""

    def __init__(self, upstream: Upstream, kubelet: PlayedKubelet, namespace: str) -> None:
        self._upstream, self._kubelet, self.namespace = upstream, kubelet, namespace
        ledger = Ledger()
        self._scene = Scene(namespace, ledger, PlayedVolume(ledger))
        self._volume: Upstream | None = None

    async def open(self) -> None:
        """Make the namespace and what the scheduler asks for."""
        post = self._upstream.request
        core = f"/api/v1/namespaces/{self.namespace}"
        await post("POST", "/api/v1/namespaces", manifests.namespace(self.namespace))
        await post("POST", "/api/v1/persistentvolumes", manifests.volume(self.namespace, self.namespace))
        await post("POST", f"{core}/persistentvolumeclaims", manifests.claim(self.namespace))
        default = manifests.played_profile(self._kubelet.node)
        for name in ("default", *manifests.PROFILES):
            profile = manifests.profile(name, default | manifests.PROFILES.get(name, {}))
            await post("POST", profiles(self.namespace), profile)
        await grant(self._upstream, self.namespace)
        await self._scene.volume.start()
        self._volume = Upstream(self._scene.volume.url)
        self._kubelet.scenes[self.namespace] = self._scene

    async def close(self) -> None:
        """Take the namespace and the volume away."""
        await self._scene.volume.stop()
        if self._volume is not None:
            await self._volume.close()
        await self._upstream.gone(f"/api/v1/namespaces/{self.namespace}")
        await self._upstream.gone(f"/api/v1/persistentvolumes/{self.namespace}")

    def volume(self) -> Upstream:
        """The played one."""
        if self._volume is None:
            raise RuntimeError("the stage is not open")
        return self._volume

    def environment(self, folder: Path) -> Mapping[str, str]:
        """Names of objects that are never looked at."""
        (folder / "token").write_text("played")
        return {
            "AUTOPACK_CLAIM": manifests.CLAIM,
            "AUTOPACK_IMAGE": "localhost/played:1",
            "AUTOPACK_RUN_SERVICE_ACCOUNT": "default",
        }

    def manifest(self, manifest: JsonDict) -> JsonDict:
        """As it is: the played kubelet understands the arguments."""
        return manifest

    async def evidence(self, uids: Mapping[str, str]) -> Evidence:
        """From the ledger and the played volume service."""
        ledger = self._scene.ledger
        return Evidence(
            [item for item in ledger.executions if item.run_uid in uids],
            {key: lines for key, lines in ledger.acknowledged.items() if key[0] in uids},
            {key: lines for key, lines in ledger.stored.items() if key[0] in uids},
            {key: commit for key, commit in self._scene.volume.commits.items() if key[0] in uids},
        )
