"""Disturbances around a request rather than of it: what other people, nodes and administrators do meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from faults import nodes
from faults.calls import Call
from faults.database import Database
from faults.disk import SmallDisk
from faults.operators import LEADER_LEASE
from faults.plan import Fault, Kind
from faults.rights import OPERATOR, RBAC
from faults.upstream import Upstream

ROBBED_SECONDS = 4.0
REVOKED_SECONDS = 3.0


class Saboteur:
    """Of one namespace. What it takes away for a while it gives back by itself."""

    def __init__(self, upstream: Upstream, namespace: str, database: Database | None = None) -> None:
        self._upstream, self._database = upstream, database
        self._lease = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{LEADER_LEASE}"
        self._pods = f"/api/v1/namespaces/{namespace}/pods"
        self._bindings = f"{RBAC}/namespaces/{namespace}/rolebindings"
        self._disk = SmallDisk(namespace)
        self._later: set[asyncio.Task[None]] = set()

    async def disturb(self, fault: Fault, call: Call) -> None:
        """Do it; `call` is the request that was matched."""
        match fault.kind:
            case Kind.LEADER_DELETED:
                await self._upstream.gone(self._lease)
            case Kind.LEADER_STOLEN:
                await self._upstream.merge(self._lease, {"spec": {"holderIdentity": "a thief"}})
                self._in(ROBBED_SECONDS, lambda: self._upstream.merge(self._lease, {"spec": {"holderIdentity": ""}}))
            case Kind.POD_FORCE_DELETED:
                await self._upstream.gone(f"{self._pods}/{_pod(call)}", {"gracePeriodSeconds": 0})
            case Kind.POD_EVICTED:
                eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": _pod(call)}}
                await self._upstream.request("POST", f"{self._pods}/{_pod(call)}/eviction", eviction)
            case Kind.RIGHTS_REVOKED:
                where = f"{self._bindings}/{OPERATOR}"
                binding = await self._upstream.request("GET", where)
                binding["metadata"] = {"name": OPERATOR, "labels": binding["metadata"]["labels"]}
                await self._upstream.gone(where)
                self._in(REVOKED_SECONDS, lambda: self._upstream.request("POST", self._bindings, binding))
            case Kind.DISK_FULL:
                await asyncio.to_thread(self._disk.fill)
                self._in(fault.seconds, lambda: asyncio.to_thread(self._disk.free))
            case Kind.COMPONENT_KILLED:
                await nodes.kill(fault.component)
            case kind if kind.of_database and self._database is not None:
                await asyncio.to_thread(self._database.fail, kind)
            case _:
                raise ValueError(f"{fault.kind} is not around a request")

    async def settled(self) -> None:
        """Until everything is given back. Raises ApiError when that was refused."""
        await asyncio.gather(*self._later)
        if self._database is not None:
            await asyncio.to_thread(self._database.heal)

    async def abandon(self) -> None:
        """Give back nothing more: the namespace goes, and with it what was taken away."""
        waiting = list(self._later)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    def _in(self, seconds: float, act: Callable[[], Awaitable[object]]) -> None:
        async def later() -> None:
            await asyncio.sleep(seconds)
            await act()

        task = asyncio.create_task(later())
        self._later.add(task)
        task.add_done_callback(self._later.discard)


def _pod(call: Call) -> str:
    """The first pod of the run whose status is written, or the pod that is made."""
    return f"{call.name}-a1" if call.resource == "autopackruns/status" else call.name
