"""Creating, deleting and reading: safe to repeat, and nobody else's object is touched."""

from __future__ import annotations

import asyncio

import pytest
from scripts.deploy import kubectl

from autopack_operator.adapters.kube.connection import Connection, path
from autopack_operator.adapters.kube.objects import KubeConfigMaps, KubePods, KubeProfiles, KubeRuns
from autopack_operator.domain.api.common import API_VERSION
from autopack_operator.domain.projection import batch_view
from autopack_operator.ports.cluster import ForeignObjectError, RejectedError
from tests.e2e.installation import make_batch
from tests.e2e.kube_adapters.builders import (
    a_run,
    named,
    owner,
    pod_manifest,
    run_manifest,
)


async def test_creating_a_pod_again_finds_the_first(connection: Connection, namespace: str) -> None:
    pods, run = KubePods(connection), await a_run(connection, namespace)
    first = await pods.create(pod_manifest(run))
    second = await pods.create(pod_manifest(run))
    assert (first.uid, first.attempt, first.owner.uid if first.owner else None) == (second.uid, 1, run.uid)


async def test_a_pod_of_somebody_else_is_not_adopted(connection: Connection, namespace: str) -> None:
    pods, run = KubePods(connection), await a_run(connection, namespace)
    foreign = pod_manifest(run)
    del foreign["metadata"]["ownerReferences"]
    await connection.request("POST", path("v1", namespace, "pods"), foreign)
    with pytest.raises(ForeignObjectError):
        await pods.create(pod_manifest(run))


async def test_a_child_run_is_created_once(connection: Connection, namespace: str) -> None:
    body = make_batch(named("batch"), "true", ["a"], suspend=True)
    batch = batch_view(await connection.request("POST", path(API_VERSION, namespace, "runbatches"), body))
    manifest = run_manifest(namespace, ownerReferences=[owner(batch.name, batch.uid, "RunBatch")])
    runs = KubeRuns(connection)
    created = await asyncio.gather(*(runs.create(manifest) for _ in range(4)))
    assert len({run.uid for run in created}) == 1


async def test_an_unknown_field_is_refused(connection: Connection, namespace: str) -> None:
    manifest = pod_manifest(await a_run(connection, namespace))
    manifest["spec"]["privileged"] = True
    with pytest.raises(RejectedError, match="privileged"):
        await KubePods(connection).create(manifest)


async def test_deleting_is_for_that_very_pod(connection: Connection, namespace: str) -> None:
    pods, run = KubePods(connection), await a_run(connection, namespace)
    old = await pods.create(pod_manifest(run))
    await pods.delete(old, grace_seconds=0)
    await pods.delete(old)
    new = await pods.create(pod_manifest(run))
    await pods.delete(old)
    found = await pods.get(namespace, old.name)
    assert found is not None
    assert (found.uid, found.deleting) == (new.uid, False)


async def test_deleting_a_run_takes_its_pods_along(connection: Connection, namespace: str) -> None:
    pods, run = KubePods(connection), await a_run(connection, namespace)
    pod = await pods.create(pod_manifest(run))
    await KubeRuns(connection).delete(run)
    assert await KubeRuns(connection).get(namespace, run.name) is None
    async with asyncio.timeout(60):
        while (found := await pods.get(namespace, pod.name)) is not None and not found.deleting:
            await asyncio.sleep(0.5)


async def test_what_is_not_there_reads_as_none(connection: Connection, namespace: str) -> None:
    assert await KubeRuns(connection).get(namespace, "absent") is None
    assert await KubePods(connection).get(namespace, "absent") is None
    assert await KubeProfiles(connection).get(namespace, "absent") is None


async def test_an_anchor_is_read_by_its_key(connection: Connection, namespace: str) -> None:
    name, configmaps = named("anchor"), KubeConfigMaps(connection)
    kubectl("create", "configmap", name, "-n", namespace, "--from-literal=anchor.json={}")
    assert await configmaps.read(namespace, name, "anchor.json") == "{}"
    assert await configmaps.read(namespace, name, "other.json") is None
    assert await configmaps.read(namespace, "absent", "anchor.json") is None
