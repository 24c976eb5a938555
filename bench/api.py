"""The benchmark's own requests: as an administrator, so that the audit log tells them from those of the measured."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from scripts.deploy import environment

from autopack_operator.adapters.kube.connection import Connection, path
from autopack_operator.ports.cluster import GoneError

JsonDict = dict[str, Any]

AT_ONCE = 16
RUNS, JOBS, CORE = "autopack.dev/v1alpha1", "batch/v1", "v1"
PATIENCE_SECONDS = 1800.0
LOOK_SECONDS = 0.5


class Api:
    """Requests in one namespace."""

    def __init__(self, connection: Connection, namespace: str) -> None:
        self._connection, self.namespace = connection, namespace

    def within(self, namespace: str) -> Api:
        """The same for another namespace."""
        return Api(self._connection, namespace)

    async def get(self, group: str, plural: str, name: str = "", **query: str) -> JsonDict:
        """One object, or a list."""
        return await self._connection.request("GET", path(group, self.namespace, plural, name), query=query or None)

    async def glance(self, group: str, plural: str, name: str = "", **query: str) -> JsonDict:
        """The same from the API server's watch cache, for those who wait: it costs no read of the store, and may be a
        little old. An object that is not there, or not yet, is empty. No limit: the cache heeds none.
        """
        try:
            return await self.get(group, plural, name, resourceVersion="0", **query)
        except GoneError:
            return {}

    async def create(self, group: str, plural: str, bodies: Iterable[JsonDict]) -> None:
        """All of them, AT_ONCE at a time."""
        where = path(group, self.namespace, plural)
        await _at_once(self._connection.request("POST", where, body) for body in bodies)

    async def put_statuses(self, group: str, kind: str, plural: str, names: Iterable[str], status: JsonDict) -> None:
        """Write the same status to all of them: a benchmark needs finished objects, not their history."""
        listed = {item["metadata"]["name"]: item["metadata"] for item in (await self.get(group, plural))["items"]}
        await _at_once(
            self._connection.request(
                "PUT",
                path(group, self.namespace, plural, name, "status"),
                {"apiVersion": group, "kind": kind, "metadata": listed[name], "status": status},
            )
            for name in names
        )

    async def clear(self, group: str, plural: str, **query: str) -> None:
        """Delete all of a kind and wait until they are gone. What depends on them may outlive them for a while."""
        options = {"propagationPolicy": "Background", "gracePeriodSeconds": 0}
        where = path(group, self.namespace, plural)
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        # From the store, one that is left: an answer of the watch cache may be old, and has all of them.
        while left := (await self.get(group, plural, limit="1", **query))["items"]:
            # What a controller has yet to let go (of Jobs' pods, say) is not deleted again at each look.
            if "deletionTimestamp" not in left[0]["metadata"]:
                await self._connection.request("DELETE", where, options, query or None, seconds=300)
            await asyncio.sleep(LOOK_SECONDS)
            if asyncio.get_running_loop().time() > deadline:
                raise SystemExit(f"{plural} in {self.namespace} are still there after {PATIENCE_SECONDS:.0f} s")


async def _at_once(requests: Iterable[Awaitable[object]]) -> None:
    """Wait for all of them, of which AT_ONCE are under way."""
    waiting = iter(requests)

    async def work() -> None:
        for request in waiting:
            await request

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())


@asynccontextmanager
async def connected(namespace: str) -> AsyncIterator[Api]:
    """Requests with the development cluster's kubeconfig."""
    os.environ["KUBECONFIG"] = environment()["KUBECONFIG"]
    connection = await Connection.open()
    try:
        yield Api(connection, namespace)
    finally:
        await connection.close()
