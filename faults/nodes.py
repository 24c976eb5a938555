"""Kills a component of the embedded cluster, and has `devcluster up` start it again. It disturbs everybody on it."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from devcluster.embedded import processes
from devcluster.layout import default_layout
from scripts import deploy

COMPONENTS = ("kubelet", "containerd", "kube-apiserver", "etcd")
DOWN_SECONDS = 2.0


class ComponentError(Exception):
    """There is nothing to kill."""


def killable(pids: Path | None = None) -> bool:
    """Whether this is the embedded cluster: the components of others are not ours to kill."""
    pids = pids or default_layout().pids
    return all(processes.running(pids / f"{component}.json") is not None for component in COMPONENTS)


async def kill(component: str, pids: Path | None = None) -> None:
    """SIGKILL it, and return once the cluster is whole again. Raises ComponentError when it does not run."""
    pids = pids or default_layout().pids
    record = await asyncio.to_thread(processes.running, pids / f"{component}.json")
    if record is None:
        raise ComponentError(f"{component} does not run: only components of the embedded cluster can be killed")
    identity = record.identity
    processes.send(identity.pid, signal.SIGKILL, only_if=lambda: processes.is_alive(identity))
    await asyncio.sleep(DOWN_SECONDS)
    await asyncio.to_thread(deploy.devcluster, "up")
