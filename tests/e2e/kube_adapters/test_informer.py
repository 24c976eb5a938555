"""kopf as an informer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from scripts.deploy import kubectl

from autopack_operator.adapters.informer.informer import Informer
from autopack_operator.adapters.kube.connection import Connection, path
from autopack_operator.adapters.kube.objects import KubePods, KubeRuns
from autopack_operator.cache import Cache
from autopack_operator.domain.api.common import API_VERSION
from autopack_operator.domain.keys import Key, Kind
from tests.e2e.kube_adapters.builders import (
    a_run,
    named,
    pod_manifest,
    run_manifest,
    until,
)


@pytest.fixture
async def watched(connection: Connection, namespace: str) -> AsyncIterator[tuple[Cache, list[Key]]]:
    cache, keys = Cache(), list[Key]()
    informer = Informer(cache, namespace, keys.append)
    await informer.start()
    # What was there before is listed; a run made now is known when the watch runs.
    sentinel = await a_run(connection, namespace)
    await until(lambda: cache.runs.get(namespace, sentinel.name) is not None)
    keys.clear()
    yield cache, keys
    await informer.stop()
    # The transports of the watches close in the next turns of the event loop.
    await asyncio.sleep(0.25)


async def test_a_run_is_known_enqueued_and_forgotten(
    connection: Connection, namespace: str, watched: tuple[Cache, list[Key]]
) -> None:
    cache, keys = watched
    run = await a_run(connection, namespace)
    key = Key(Kind.RUN, namespace, run.name)
    await until(lambda: key in keys)
    assert cache.runs.get(namespace, run.name) == run
    keys.clear()
    await KubeRuns(connection).delete(run)
    await until(lambda: key in keys)
    assert cache.runs.get(namespace, run.name) is None
    cache.remember_run(run)
    assert cache.runs.get(namespace, run.name) is None


async def test_a_pod_enqueues_its_run(connection: Connection, namespace: str, watched: tuple[Cache, list[Key]]) -> None:
    cache, keys = watched
    run = await a_run(connection, namespace)
    pod = await KubePods(connection).create(pod_manifest(run))
    await until(lambda: cache.pods_of(run.uid))
    keys.clear()
    await KubePods(connection).delete(pod, grace_seconds=0)
    await until(lambda: not cache.pods_of(run.uid))
    assert keys[-1] == Key(Kind.RUN, namespace, run.name)


async def test_an_edited_profile_is_known(
    connection: Connection, namespace: str, watched: tuple[Cache, list[Key]]
) -> None:
    cache, name = watched[0], named("profile")
    manifest = {
        "apiVersion": API_VERSION,
        "kind": "RunProfile",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"defaultImage": "old"},
    }
    await connection.request("POST", path(API_VERSION, namespace, "runprofiles"), manifest)
    await until(lambda: cache.profiles.get(namespace, name) is not None)
    patch = json.dumps({"spec": {"defaultImage": "new"}})
    kubectl("patch", "runprofile", name, "-n", namespace, "--type=merge", "-p", patch)
    await until(lambda: (profile := cache.profiles.get(namespace, name)) and profile.spec["defaultImage"] == "new")


async def test_pods_of_others_are_not_watched(
    connection: Connection, namespace: str, watched: tuple[Cache, list[Key]]
) -> None:
    cache, _ = watched
    run = await a_run(connection, namespace)
    foreign, ours = pod_manifest(run), pod_manifest(run)
    foreign["metadata"] |= {"name": named("foreign"), "labels": {}}
    await KubePods(connection).create(foreign)
    pod = await KubePods(connection).create(ours)
    await until(lambda: cache.pods_of(run.uid))
    assert [known.name for known in cache.pods_of(run.uid)] == [pod.name]


@pytest.mark.parametrize("finalizer", ["kopf.zalando.org/KopfFinalizerMarker", "example.com/guard"])
async def test_it_writes_nothing(
    connection: Connection, namespace: str, watched: tuple[Cache, list[Key]], finalizer: str
) -> None:
    cache, keys = watched
    manifest = run_manifest(namespace, finalizers=[finalizer])
    del manifest["metadata"]["ownerReferences"]
    where = path(API_VERSION, namespace, "autopackruns")
    created = await connection.request("POST", where, manifest)
    name = created["metadata"]["name"]
    await until(lambda: cache.runs.get(namespace, name) is not None)
    kubectl("delete", "autopackrun", name, "-n", namespace, "--wait=false")
    await until(lambda: (run := cache.runs.get(namespace, name)) and run.deleting)
    before = await connection.request("GET", f"{where}/{name}")
    await asyncio.sleep(2)
    assert await connection.request("GET", f"{where}/{name}") == before
    assert before["metadata"]["finalizers"] == [finalizer]
    patch = json.dumps({"metadata": {"finalizers": None}})
    kubectl("patch", "autopackrun", name, "-n", namespace, "--type=merge", "-p", patch)
    await until(lambda: cache.runs.get(namespace, name) is None)
    assert Key(Kind.RUN, namespace, name) in keys
