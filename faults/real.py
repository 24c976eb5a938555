"""Real pods: the chart in a namespace of its own, its volume service, the real kubelet; the operator is outside."""

from __future__ import annotations

import asyncio
import json
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from scripts import deploy

from faults import manifests
from faults.beats import SCRIPT, Beats
from faults.disk import SmallDisk
from faults.rights import OPERATOR
from faults.stage import Evidence, profiles
from faults.upstream import Upstream

JsonDict = dict[str, Any]

LOOK_SECONDS = 0.5


class RealStage:
    """Implements Stage. The volume is a small disk of this machine, which is the node; the harness reads it there."""

    def __init__(self, upstream: Upstream, namespace: str) -> None:
        self._upstream, self.namespace = upstream, namespace
        self._disk = SmallDisk(namespace)
        self._beats = Beats(self._disk.folder)
        self._volume: Upstream | None = None
        self._variables: dict[str, str] = {}
        self._looking: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Install the chart, without its operator."""
        await asyncio.to_thread(self._install)
        core = f"/api/v1/namespaces/{self.namespace}"
        deployment = f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{OPERATOR}"
        [container] = (await self._upstream.request("GET", deployment))["spec"]["template"]["spec"]["containers"]
        self._variables = {item["name"]: item["value"] for item in container["env"] if "value" in item}
        service = await self._upstream.request("GET", f"{core}/services/{deploy.RELEASE}-volume")
        self._volume = Upstream(f"http://{service['spec']['clusterIP']}:8080")
        self._looking = asyncio.create_task(self._look())
        default = (await self._upstream.request("GET", f"{profiles(self.namespace)}/default"))["spec"]
        for name, more in manifests.PROFILES.items():
            await self._upstream.request("POST", profiles(self.namespace), manifests.profile(name, default | more))

    def _install(self) -> None:
        self._disk.mount()
        deploy.make_namespace(self.namespace)
        volume = manifests.volume(self.namespace, self.namespace, str(self._disk.folder))
        for manifest in (volume, manifests.claim(self.namespace)):
            deploy.kubectl("apply", "-n", self.namespace, "-f", "-", stdin=json.dumps(manifest).encode())
        deploy.install(self.namespace, values={"storage.existingClaim": manifests.CLAIM})
        deploy.kubectl("scale", "deployment", OPERATOR, "-n", self.namespace, "--replicas=0")
        deploy.kubectl(
            "wait", "pod", "-n", self.namespace, "-l", "app.kubernetes.io/component=operator", "--for=delete"
        )
        with tempfile.TemporaryDirectory() as folder:
            identity = ["-c", "user.name=Faults", "-c", "user.email=faults@example.com"]
            for words in (["init", "-q", "-b", "main"], ["commit", "-q", "--allow-empty", "-m", "Begin"]):
                subprocess.run(["git", "-C", folder, *identity, *words], check=True)
            deploy.import_repository(self.namespace, "played", Path(folder))

    async def _look(self) -> None:
        while True:
            await asyncio.to_thread(self._beats.look)
            await asyncio.sleep(LOOK_SECONDS)

    async def close(self) -> None:
        """Take the namespace away, and the policy that the chart made for the whole cluster."""
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking
        if self._volume is not None:
            await self._volume.close()
        await asyncio.to_thread(deploy.uninstall, self.namespace)
        await self._upstream.gone(f"/api/v1/namespaces/{self.namespace}")
        await self._upstream.gone(f"/api/v1/persistentvolumes/{self.namespace}")
        await asyncio.to_thread(self._disk.unmount)

    def volume(self) -> Upstream:
        """The chart's."""
        if self._volume is None:
            raise RuntimeError("the stage is not open")
        return self._volume

    def environment(self, folder: Path) -> Mapping[str, str]:
        """The chart's own variables, and a token of the operator's account for the volume service."""
        audience = ["--audience", "autopack-volume", "--duration", "3h"]
        token = deploy.kubectl("create", "token", OPERATOR, "-n", self.namespace, *audience)
        (folder / "token").write_text(token.strip())
        return {name: value for name, value in self._variables.items() if name.startswith("AUTOPACK_")}

    def manifest(self, manifest: JsonDict) -> JsonDict:
        """The same workload as a real command."""
        template = manifest["spec"].get("template", manifest["spec"])
        template["command"] = ["sh", "-c", SCRIPT, "beats"]
        return manifest

    async def evidence(self, uids: Mapping[str, str]) -> Evidence:
        """From the volume's disk."""
        await asyncio.to_thread(self._beats.look)
        return await asyncio.to_thread(self._beats.evidence, uids)
