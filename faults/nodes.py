"""Kills a component of the embedded cluster, and has `devcluster up` start it again. It disturbs everybody on it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import suppress

from scripts import deploy

COMPONENTS = ("kubelet", "containerd", "kube-apiserver", "etcd")
DOWN_SECONDS = 2.0


async def kill(component: str) -> None:
    """SIGKILL it, and return once the cluster is whole again. Raises OSError when it does not run."""
    pids = deploy.DEV / "cluster" / "pids" / f"{component}.json"
    pid = int(json.loads(await asyncio.to_thread(pids.read_text))["identity"]["pid"])
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(DOWN_SECONDS)
    await asyncio.to_thread(deploy.devcluster, "up")
