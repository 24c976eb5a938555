"""Who holds a run's Leases, and whether that attempt is proven to be over."""

from __future__ import annotations

from autopack.errors import printable
from autopack_cli.cluster.session import LEASES, PODS, Session
from autopack_cli.cluster.tables import status, terminal
from autopack_operator.domain.api.common import RUN_UID_LABEL, JsonDict
from autopack_operator.domain.naming import lease_holder
from autopack_operator.domain.projection import pod_view
from autopack_operator.domain.views import PodView


async def leases_of(session: Session, run: JsonDict) -> list[JsonDict]:
    """Return the Leases that belong to a run."""
    uid = run["metadata"]["uid"]
    return [
        lease
        for lease in await session.list(LEASES)
        if any(owner.get("uid") == uid for owner in lease["metadata"].get("ownerReferences") or ())
    ]


async def pods_of(session: Session, run: JsonDict) -> list[PodView]:
    """Return the pods of a run."""
    listed = await session.list(PODS, f"{RUN_UID_LABEL}={run['metadata']['uid']}")
    return [pod_view(pod) for pod in listed]


def verdict(run: JsonDict, lease: JsonDict, pods: list[PodView]) -> tuple[bool, str]:
    """Tell whether a Lease's holder is proven to be gone, and why (not). Pure."""
    uid = str(run["metadata"]["uid"])
    holder = str((lease.get("spec") or {}).get("holderIdentity") or "")
    if not holder:
        return True, "nobody holds it"
    if not holder.startswith(f"{uid}.a"):
        return False, f"its holder '{printable(holder, 100)}' is no attempt of this run"
    for pod in pods:
        if lease_holder(uid, pod.attempt) == holder:
            if pod.stopped:
                return True, f"pod {pod.name} has stopped with all its containers"
            return False, f"pod {pod.name} of its holder is {pod.phase}. Cancel the run, or delete the pod, and wait"
    if terminal(run):
        return True, f"the run is finished ({status(run, 'phase')}), and no pod of its holder is left"
    why = "there is no pod of its holder, which proves nothing: it may run on a node that does not answer"
    return False, f"{why}. Delete that node, or taint it node.kubernetes.io/out-of-service, or cancel the run"
