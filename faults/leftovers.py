"""What a campaign has made on the cluster: taken away when it ends, and by the next one when it was killed."""

from __future__ import annotations

from pathlib import Path

from faults.disk import unmount_all
from faults.upstream import Upstream

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
CLUSTER_SCOPED = (
    "/api/v1/namespaces",
    "/api/v1/persistentvolumes",
    f"{ADMISSION}/validatingadmissionpolicybindings",
    f"{ADMISSION}/validatingadmissionpolicies",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
)


async def sweep(upstream: Upstream, prefix: str) -> None:
    """Remove what campaigns of this prefix have left whose process, which their nodes `<prefix><pid>` name, is gone."""
    nodes = await upstream.request("GET", "/api/v1/nodes?labelSelector=autopack.dev/played")
    for node in (item["metadata"]["name"] for item in nodes["items"]):
        pid = node.removeprefix(prefix)
        if node.startswith(prefix) and pid.isdigit() and not alive(int(pid)):
            await remove(upstream, node)


def alive(pid: int) -> bool:
    """Whether that process is there and is a campaign."""
    try:
        return b"faults" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


async def remove(upstream: Upstream, node: str) -> None:
    """Remove a campaign's node and all objects of the cluster that are named after it; the node last, so that what
    stops here is found again.
    """
    for path in CLUSTER_SCOPED:
        items = (await upstream.request("GET", path))["items"]
        for name in (item["metadata"]["name"] for item in items):
            # Those of a chart have the namespace between dots.
            if any(part.startswith(f"{node}-") for part in name.split(".")):
                await upstream.gone(f"{path}/{name}")
    unmount_all(f"{node}-")
    await upstream.gone(f"/apis/node.k8s.io/v1/runtimeclasses/{node}")
    await upstream.gone(f"/api/v1/nodes/{node}")
