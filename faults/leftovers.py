"""What a campaign that was killed has left on the cluster: taken away by the next one."""

from __future__ import annotations

from pathlib import Path

from faults.upstream import Upstream


async def sweep(upstream: Upstream, prefix: str) -> None:
    """Remove nodes `<prefix><pid>` whose process is gone, and the namespaces and volumes that are named after them."""
    nodes = await upstream.request("GET", "/api/v1/nodes?labelSelector=autopack.dev/played")
    for node in (item["metadata"]["name"] for item in nodes["items"]):
        pid = node.removeprefix(prefix)
        if node.startswith(prefix) and pid.isdigit() and not alive(int(pid)):
            await _remove(upstream, node)


def alive(pid: int) -> bool:
    """Whether that process is there and is a campaign."""
    try:
        return b"faults" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


async def _remove(upstream: Upstream, node: str) -> None:
    for plural in ("namespaces", "persistentvolumes"):
        items = (await upstream.request("GET", f"/api/v1/{plural}"))["items"]
        for name in (item["metadata"]["name"] for item in items):
            if name.startswith(f"{node}-"):
                await upstream.gone(f"/api/v1/{plural}/{name}")
    await upstream.gone(f"/apis/node.k8s.io/v1/runtimeclasses/{node}")
    await upstream.gone(f"/api/v1/nodes/{node}")
