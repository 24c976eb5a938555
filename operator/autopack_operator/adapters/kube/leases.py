"""The Leases of runs, one a run: held by an attempt, passed on to a later one of the same run, released together."""

from __future__ import annotations

from autopack.leases.port import Holder
from autopack_operator.adapters.kube.connection import Connection
from autopack_operator.adapters.kube.lease_backend import Claim, KubeLeaseBackend
from autopack_operator.adapters.kube.lease_releases import LeaseReleases
from autopack_operator.domain import naming
from autopack_operator.domain.api.common import ATTEMPT_LABEL, MANAGED_BY, RUN_UID_LABEL, WORKSPACE_ANNOTATION
from autopack_operator.domain.ownership import owner_reference
from autopack_operator.domain.views import LeaseConflict, RunView


class KubeLeases:
    """Implements ports.cluster.Leases."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._releases = LeaseReleases(connection)

    async def acquire(self, owner: RunView, attempt: int, workspace: str) -> LeaseConflict | None:
        """Hold the run and its workspace for the attempt, or say who does."""
        name, key = naming.run_lease(owner.uid), f"run/{owner.namespace}/{owner.name}/{owner.uid}"
        labels = MANAGED_BY | {RUN_UID_LABEL: owner.uid, ATTEMPT_LABEL: str(attempt)}
        owners = [owner_reference(owner) | {"controller": False}]
        claim = Claim(key, {"labels": labels, "ownerReferences": owners}, {WORKSPACE_ANNOTATION: workspace})
        backend = KubeLeaseBackend(self._connection, owner.namespace, is_earlier_attempt, claim)
        if await backend.try_acquire(name, Holder(naming.lease_holder(owner.uid, attempt))):
            return None
        current = await backend.holder(name)
        return LeaseConflict(name, current.identity if current is not None else "an object that is not ours")

    async def release(self, namespace: str, run_uid: str, attempt: int) -> None:
        """One request for this Lease, and for other runs' that end just then; a later attempt's is out of reach."""
        await self._releases.release(namespace, run_uid, attempt)


def is_earlier_attempt(current: Holder, candidate: Holder) -> bool:
    """Whether the holder is an earlier attempt of the same run: the later is claimed only when its pod has stopped."""
    (run, _, number), (ours, _, our_number) = (each.identity.rpartition(".a") for each in (current, candidate))
    return run == ours and number.isdigit() and our_number.isdigit() and int(number) < int(our_number)
