"""Objects for the tests of the adapters."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

from autopack_operator.adapters.kube.connection import Connection, path
from autopack_operator.adapters.kube.lease_backend import LEASES
from autopack_operator.adapters.kube.objects import KubeRuns
from autopack_operator.domain.api.common import API_VERSION, ATTEMPT_LABEL
from autopack_operator.domain.views import RunView
from tests.e2e.installation import make_run

JsonDict = dict[str, Any]


def named(prefix: str) -> str:
    """A name that no other test uses."""
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def run_manifest(namespace: str, **metadata: object) -> JsonDict:
    manifest = make_run(named("run"), "true", suspend=True)
    manifest["metadata"] |= {"namespace": namespace, "ownerReferences": [owner("batch", "batch-uid")]} | metadata
    return manifest


def owner(name: str, uid: str, kind: str = "AutopackRun") -> JsonDict:
    return {"apiVersion": API_VERSION, "kind": kind, "name": name, "uid": uid, "controller": True}


async def a_run(connection: Connection, namespace: str) -> RunView:
    # Without an owner reference: the garbage collector would find the owner missing, and take the run away.
    manifest = run_manifest(namespace)
    del manifest["metadata"]["ownerReferences"]
    body = await connection.request("POST", path(API_VERSION, namespace, "autopackruns"), manifest)
    run = await KubeRuns(connection).get(namespace, body["metadata"]["name"])
    assert run is not None
    return run


def pod_manifest(run: RunView) -> JsonDict:
    container = {"name": "run", "image": "localhost/absent:dev", "imagePullPolicy": "Never"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{run.name}-a1",
            "namespace": run.namespace,
            "labels": {"app.kubernetes.io/managed-by": "autopack-operator", ATTEMPT_LABEL: "1"},
            "ownerReferences": [owner(run.name, run.uid)],
        },
        # No node has this name: the pod stays as it is.
        "spec": {"nodeSelector": {"kubernetes.io/hostname": "nowhere"}, "containers": [container]},
    }


async def until(condition: Callable[[], object], seconds: float = 90) -> None:
    """Wait until it is true."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)


def bare_lease(name: str) -> JsonDict:
    return {"apiVersion": LEASES, "kind": "Lease", "metadata": {"name": name}, "spec": {}}
