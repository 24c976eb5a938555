"""AutopackRuns, RunBatches, pods and ConfigMaps: the ports' writes and live reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel

from autopack_operator.adapters.kube.connection import Connection, path
from autopack_operator.domain.api.common import API_VERSION, JsonDict
from autopack_operator.domain.api.status import AutopackRunStatus, RunBatchStatus
from autopack_operator.domain.projection import batch_view, pod_view, profile_view, run_view
from autopack_operator.domain.views import BatchView, PodView, ProfileView, RunView
from autopack_operator.ports.cluster import (
    AlreadyExistsError,
    ConflictError,
    ForeignObjectError,
    GoneError,
    TransientError,
)

OwnedT = TypeVar("OwnedT", RunView, PodView)
ViewT = TypeVar("ViewT")
CREATE = {"fieldManager": "autopack-operator", "fieldValidation": "Strict"}
WRITE = {"fieldManager": "autopack-operator"}


def status_body(view: RunView | BatchView, status: BaseModel) -> JsonDict:
    """Body of a PUT to /status: the API server takes metadata and spec from what it has stored."""
    return {
        "apiVersion": API_VERSION,
        "kind": view.kind,
        "metadata": {
            "namespace": view.namespace,
            "name": view.name,
            "uid": view.uid,
            "resourceVersion": view.resource_version,
        },
        "status": status.model_dump(by_alias=True, exclude_none=True, mode="json"),
    }


async def _get(connection: Connection, where: str, view: Callable[[JsonDict], ViewT]) -> ViewT | None:
    try:
        return view(await connection.request("GET", where))
    except GoneError:
        return None


async def _create(
    connection: Connection, group: str, plural: str, manifest: JsonDict, view: Callable[[JsonDict], OwnedT]
) -> OwnedT:
    """Create, or find what an earlier try of ours created: AlreadyExists is success only for the same controller."""
    meta = manifest["metadata"]
    try:
        return view(await connection.request("POST", path(group, meta["namespace"], plural), manifest, CREATE))
    except AlreadyExistsError:
        found = await _get(connection, path(group, meta["namespace"], plural, meta["name"]), view)
    if found is None:
        # Not GoneError: what is gone is not what was asked for, which is still to be created.
        raise TransientError(f"{plural} {meta['name']} was there and is gone again")
    if found.owner is None or found.owner.uid != meta["ownerReferences"][0]["uid"]:
        raise ForeignObjectError(f"{plural} {meta['name']} belongs to somebody else")
    return found


async def _delete(connection: Connection, where: str, uid: str, grace_seconds: int | None = None) -> None:
    options: JsonDict = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
    if grace_seconds is not None:
        options["gracePeriodSeconds"] = grace_seconds
    try:
        await connection.request("DELETE", where, options)
    except GoneError:
        return
    except ConflictError:
        # Another object has the name by now, which is as good as gone; or ours changed at this very moment.
        if await _get(connection, where, lambda body: body["metadata"]["uid"]) == uid:
            raise


class _Objects:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection


class KubeRuns(_Objects):
    """Implements ports.cluster.Runs."""

    def _path(self, namespace: str, name: str = "", subresource: str = "") -> str:
        return path(API_VERSION, namespace, "autopackruns", name, subresource)

    async def get(self, namespace: str, name: str) -> RunView | None:
        """Live read."""
        return await _get(self._connection, self._path(namespace, name), run_view)

    async def create(self, manifest: JsonDict) -> RunView:
        """Create or find our own."""
        return await _create(self._connection, API_VERSION, "autopackruns", manifest, run_view)

    async def write_status(self, run: RunView, status: AutopackRunStatus) -> RunView:
        """Compare-and-swap of the status."""
        body = status_body(run, status)
        return run_view(
            await self._connection.request("PUT", self._path(run.namespace, run.name, "status"), body, WRITE)
        )

    async def delete(self, run: RunView) -> None:
        """Delete that very object."""
        await _delete(self._connection, self._path(run.namespace, run.name), run.uid)


class KubeBatches(_Objects):
    """Implements ports.cluster.Batches."""

    async def write_status(self, batch: BatchView, status: RunBatchStatus) -> BatchView:
        """Compare-and-swap of the status."""
        where = path(API_VERSION, batch.namespace, "runbatches", batch.name, "status")
        return batch_view(await self._connection.request("PUT", where, status_body(batch, status), WRITE))

    async def delete(self, batch: BatchView) -> None:
        """Delete that very object; the garbage collector follows with its runs."""
        await _delete(self._connection, path(API_VERSION, batch.namespace, "runbatches", batch.name), batch.uid)


class KubeProfiles(_Objects):
    """Implements ports.cluster.Profiles."""

    async def get(self, namespace: str, name: str) -> ProfileView | None:
        """Live read."""
        return await _get(self._connection, path(API_VERSION, namespace, "runprofiles", name), profile_view)


class KubePods(_Objects):
    """Implements ports.cluster.Pods."""

    async def get(self, namespace: str, name: str) -> PodView | None:
        """Live read."""
        return await _get(self._connection, path("v1", namespace, "pods", name), pod_view)

    async def create(self, manifest: JsonDict) -> PodView:
        """Create or find our own."""
        return await _create(self._connection, "v1", "pods", manifest, pod_view)

    async def delete(self, pod: PodView, grace_seconds: int | None = None) -> None:
        """Delete that very pod."""
        await _delete(self._connection, path("v1", pod.namespace, "pods", pod.name), pod.uid, grace_seconds)


class KubeConfigMaps(_Objects):
    """Implements ports.cluster.ConfigMaps."""

    async def read(self, namespace: str, name: str, key: str, *, label: str | None = None) -> str | None:
        """The text under the key, if the label, when one is asked for, says "true"."""
        try:
            body = await self._connection.request("GET", path("v1", namespace, "configmaps", name))
        except GoneError:
            return None
        if label is not None and (body["metadata"].get("labels") or {}).get(label) != "true":
            return None
        value = (body.get("data") or {}).get(key)
        return value if isinstance(value, str) else None
