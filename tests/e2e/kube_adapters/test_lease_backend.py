"""Lease objects pass the library's own contract for claims, as its file backend does."""

from __future__ import annotations

import pytest
from scripts.deploy import kubectl

from autopack.leases.port import Holder
from autopack_operator.adapters.kube.connection import Connection
from autopack_operator.adapters.kube.lease_backend import KubeLeaseBackend
from tests.contract.lease_contract import ClaimContract


class TestKubeLeaseBackend(ClaimContract):
    """Holders whose identity begins with `gone` count as proven to be gone."""

    @pytest.fixture(autouse=True)
    def _connected(self, connection: Connection, namespace: str) -> None:
        kubectl("delete", "leases", "--all", "-n", namespace)
        self._backend = KubeLeaseBackend(connection, namespace, lambda current, _: current.identity.startswith("gone"))

    def backend(self) -> KubeLeaseBackend:
        return self._backend

    def claimant(self, name: str) -> Holder:
        return Holder(name)

    async def leave(self, key: str, *, provable: bool) -> None:
        await self._backend.try_acquire(key, Holder("gone-1" if provable else "silent-1"))
