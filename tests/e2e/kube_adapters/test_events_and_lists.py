"""Kubernetes Events, and paginated lists."""

from __future__ import annotations

import asyncio
import json

import pytest
from scripts.deploy import kubectl

from autopack_operator.adapters.kube import lister
from autopack_operator.adapters.kube.connection import Connection, path
from autopack_operator.adapters.kube.events import KubeEvents
from autopack_operator.adapters.kube.objects import KubePods, KubeRuns
from autopack_operator.domain.api.common import API_VERSION
from autopack_operator.domain.projection import run_view
from autopack_operator.ports.cluster import GoneError
from tests.e2e.kube_adapters.builders import (
    a_run,
    named,
    pod_manifest,
    run_manifest,
    until,
)


async def test_they_are_seen_at_the_run_once_each(connection: Connection, namespace: str) -> None:
    run = await a_run(connection, namespace)
    events = KubeEvents(connection, "tester")
    sending = asyncio.create_task(events.run())
    for _ in range(3):
        events.record(run, "Retrying", "the node went away", warning=True)
    events.record(run, "Completed", "")

    def seen() -> list[str]:
        found = json.loads(kubectl("get", "--raw", path("events.k8s.io/v1", namespace, "events")))["items"]
        ours = [event for event in found if event["regarding"]["uid"] == run.uid]
        return sorted(f"{event['type']} {event['reason']}: {event['note']}" for event in ours)

    await until(lambda: len(seen()) == 2)
    sending.cancel()
    assert seen() == ["Normal Completed: Completed", "Warning Retrying: the node went away"]


@pytest.mark.parametrize("name", ["x" * 253, f"{'x' * 199}-{'y' * 53}", f"{'x' * 199}.{'y' * 53}"])
async def test_a_long_name_makes_a_valid_event(connection: Connection, namespace: str, name: str) -> None:
    manifest = run_manifest(namespace, name=name)
    del manifest["metadata"]["ownerReferences"]
    await connection.request("POST", path(API_VERSION, namespace, "autopackruns"), manifest)
    run = await KubeRuns(connection).get(namespace, name)
    assert run is not None
    event = KubeEvents(connection, "tester")._event(run, "Completed", "m" * 5000, warning=False)
    await connection.request("POST", path("events.k8s.io/v1", namespace, "events"), event)
    await KubeRuns(connection).delete(run)


async def test_a_namespace_that_refuses_them_does_not_end_the_sender(connection: Connection) -> None:
    run = run_view({"metadata": {"namespace": "absent", "name": "r", "uid": "u"}})
    events = KubeEvents(connection, "tester")
    sending = asyncio.create_task(events.run())
    events.record(run, "Completed", "")
    await until(events._waiting.empty)
    await asyncio.sleep(0.5)
    assert not sending.done()
    sending.cancel()


async def test_all_pages_are_read(connection: Connection, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = await asyncio.gather(*(a_run(connection, namespace) for _ in range(5)))
    monkeypatch.setattr(lister, "LIST_PAGE", 2)
    found = await lister.KubeLister(connection, namespace).runs()
    assert {run.uid for run in runs} <= {run.uid for run in found}
    assert len(found) == len({run.uid for run in found})


async def test_only_pods_of_the_operator_are_listed(connection: Connection, namespace: str) -> None:
    run = await a_run(connection, namespace)
    ours, foreign = pod_manifest(run), pod_manifest(run)
    foreign["metadata"] |= {"name": named("foreign"), "labels": {}}
    pod = await KubePods(connection).create(ours)
    await KubePods(connection).create(foreign)
    names = {found.name for found in await lister.KubeLister(connection, namespace).pods()}
    assert pod.name in names
    assert foreign["metadata"]["name"] not in names


async def test_the_probe_names_what_is_not_served(
    connection: Connection, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lister.KubeLister(connection, namespace).probe()
    monkeypatch.setattr(lister, "WATCHED", (*lister.WATCHED, (API_VERSION, "runthings")))
    with pytest.raises(GoneError, match="runthings"):
        await lister.KubeLister(connection, namespace).probe()
