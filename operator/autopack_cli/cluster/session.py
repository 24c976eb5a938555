"""One person's way to one namespace of one cluster: objects as they are stored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote

from autopack_cli.cluster.access import Access
from autopack_cli.cluster.problems import ClusterProblem, explain
from autopack_operator.adapters.kube.connection import Connection, NoCredentialsError, path
from autopack_operator.adapters.kube.lister import items
from autopack_operator.adapters.kube.user import open_as_user
from autopack_operator.domain.api.common import API_VERSION, JsonDict
from autopack_operator.ports.cluster import ApiError, ConflictError, GoneError

RUNS = (API_VERSION, "autopackruns")
BATCHES = (API_VERSION, "runbatches")
PODS = ("v1", "pods")
LEASES = ("coordination.k8s.io/v1", "leases")
Resource = tuple[str, str]
"""Group and version (`v1` for the core), and the plural."""

_PAGE = 500
_TRIES = 5
_WRITE = {"fieldManager": "kubectl-autopack", "fieldValidation": "Strict"}


@dataclass(frozen=True)
class Session:
    """Requests to the API server. Methods raise ApiError."""

    connection: Connection
    access: Access
    namespace: str
    server: str

    async def get(self, resource: Resource, name: str) -> JsonDict | None:
        """Return an object, None when there is none of that name."""
        try:
            return await self.connection.request("GET", path(resource[0], self.namespace, resource[1], name))
        except GoneError as error:
            if quote(name, safe="") in str(error).partition(": ")[2]:
                return None
            raise

    async def list(self, resource: Resource, selector: str = "") -> list[JsonDict]:
        """Return all objects, or those that a label selector chooses, by name."""
        where = path(resource[0], self.namespace, resource[1])
        found = [body async for body in items(self.connection, where, selector, _PAGE)]
        return sorted(found, key=lambda body: str(body["metadata"]["name"]))

    async def create(self, resource: Resource, body: JsonDict, *, dry_run: bool = False) -> JsonDict:
        """Create an object; `dry_run` lets the server check it without storing it."""
        query = _WRITE | ({"dryRun": "All"} if dry_run else {})
        return await self.connection.request("POST", path(resource[0], self.namespace, resource[1]), body, query)

    async def change(self, resource: Resource, name: str, edit: Callable[[JsonDict], None]) -> JsonDict | None:
        """Apply `edit` to an object as it is now, by compare-and-swap; None when there is none of that name."""
        for tries in range(_TRIES):
            body = await self.get(resource, name)
            if body is None:
                return None
            edit(body)
            try:
                where = path(resource[0], self.namespace, resource[1], name)
                return await self.connection.request("PUT", where, body, _WRITE)
            except ConflictError:
                if tries == _TRIES - 1:
                    raise
        return None

    async def username(self) -> str:
        """Return the name by which the API server knows who asks."""
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        answer = await self.connection.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", asked)
        return str(answer["status"]["userInfo"]["username"])

    async def delete(self, resource: Resource, body: JsonDict, *, unchanged: bool = False) -> bool:
        """Delete that very object (and, if `unchanged`, only as it was read); return whether it was still there."""
        meta = body["metadata"]
        exactly = {"uid": meta["uid"]} | ({"resourceVersion": meta["resourceVersion"]} if unchanged else {})
        options = {"preconditions": exactly, "propagationPolicy": "Background"}
        try:
            await self.connection.request(
                "DELETE", path(resource[0], self.namespace, resource[1], str(meta["name"])), options
            )
        except (GoneError, ConflictError):
            return False
        return True


@asynccontextmanager
async def open_session(access: Access) -> AsyncIterator[Session]:
    """Connect as the kubeconfig says. What goes wrong within becomes a ClusterProblem."""
    try:
        user = await open_as_user(access.kubeconfig, access.context)
    except NoCredentialsError as error:
        raise ClusterProblem(str(error)) from error
    try:
        yield Session(user.connection, access, access.namespace or user.namespace or "default", user.server)
    except ApiError as error:
        raise explain(error) from error
    finally:
        await user.connection.close()
