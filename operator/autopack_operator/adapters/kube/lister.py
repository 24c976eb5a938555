"""Paginated live lists."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from autopack_operator.adapters.kube.connection import Connection, path
from autopack_operator.adapters.kube.lease_backend import LEASES
from autopack_operator.domain.api.common import API_VERSION, MANAGED, JsonDict
from autopack_operator.domain.projection import batch_view, lease_view, pod_view, run_view
from autopack_operator.domain.views import BatchView, LeaseView, PodView, RunView
from autopack_operator.ports.cluster import LIST_PAGE

WATCHED = ((API_VERSION, "autopackruns"), (API_VERSION, "runbatches"), (API_VERSION, "runprofiles"), ("v1", "pods"))
ViewT = TypeVar("ViewT")


class KubeLister:
    """Implements ports.cluster.Lister for one namespace.

    `kept` says what is kept of each run: with thousands of them it has to happen page by page.
    """

    def __init__(
        self, connection: Connection, namespace: str, kept: Callable[[RunView], RunView] = lambda run: run
    ) -> None:
        self._connection, self._namespace, self._kept = connection, namespace, kept

    async def runs(self) -> list[RunView]:
        """All AutopackRuns."""
        return await self._all(API_VERSION, "autopackruns", "", lambda item: self._kept(run_view(item)))

    async def batches(self) -> list[BatchView]:
        """All RunBatches."""
        return await self._all(API_VERSION, "runbatches", "", batch_view)

    async def pods(self) -> list[PodView]:
        """All pods of runs."""
        return await self._all("v1", "pods", MANAGED, pod_view)

    async def leases(self) -> list[LeaseView]:
        """All Leases of runs."""
        found = await self._all(LEASES, "leases", MANAGED, lease_view)
        return [lease for lease in found if lease is not None]

    async def probe(self) -> None:
        """Return if all that is watched can be listed; GoneError without the CRDs, RejectedError without the rights."""
        for group, plural in WATCHED:
            await self._connection.request("GET", path(group, self._namespace, plural), query={"limit": "1"})

    async def _all(self, group: str, plural: str, selector: str, view: Callable[[JsonDict], ViewT]) -> list[ViewT]:
        where = path(group, self._namespace, plural)
        return [view(item) async for item in items(self._connection, where, selector, LIST_PAGE)]


async def items(connection: Connection, where: str, selector: str, at_once: int) -> AsyncIterator[JsonDict]:
    """Yield the objects of a list that a label selector chooses ("" for all), which is asked for page by page."""
    query = {"limit": str(at_once)} | ({"labelSelector": selector} if selector else {})
    while True:
        page = await connection.request("GET", where, query=query)
        for item in page.get("items") or ():
            yield item
        following = page["metadata"].get("continue")
        if not following:
            return
        query["continue"] = following
        # Else it is there until the next one has come.
        del page
