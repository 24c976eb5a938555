"""Leases as claims."""

from __future__ import annotations

import asyncio
import json

from scripts.deploy import kubectl

from autopack_operator.adapters.kube.connection import Connection, path
from autopack_operator.adapters.kube.lease_backend import LEASES
from autopack_operator.adapters.kube.leases import KubeLeases
from autopack_operator.domain.naming import run_lease
from autopack_operator.domain.views import LeaseConflict
from autopack_operator.ports.cluster import GoneError
from tests.e2e.kube_adapters.builders import (
    JsonDict,
    a_run,
    bare_lease,
    named,
)


async def lease(connection: Connection, namespace: str, name: str) -> JsonDict | None:
    try:
        return await connection.request("GET", path(LEASES, namespace, "leases", name))
    except GoneError:
        return None


async def holder(connection: Connection, namespace: str, name: str) -> str | None:
    found = await lease(connection, namespace, name)
    return found["spec"]["holderIdentity"] if found is not None else None


async def test_it_names_holder_key_workspace_and_owner(connection: Connection, namespace: str) -> None:
    run = await a_run(connection, namespace)
    assert await KubeLeases(connection).acquire(run, 1, "claim/path") is None
    found = await lease(connection, namespace, run_lease(run.uid))
    assert found is not None
    assert found["spec"]["holderIdentity"] == f"{run.uid}.a1"
    assert found["metadata"]["annotations"] == {
        "autopack.dev/lease-key": f"run/{namespace}/{run.name}/{run.uid}",
        "autopack.dev/workspace": "claim/path",
    }
    [reference] = found["metadata"]["ownerReferences"]
    assert (reference["uid"], reference["controller"]) == (run.uid, False)


async def test_asking_again_is_granted_and_writes_nothing(connection: Connection, namespace: str) -> None:
    run, leases = await a_run(connection, namespace), KubeLeases(connection)
    await leases.acquire(run, 1, "claim/path")
    before = await lease(connection, namespace, run_lease(run.uid))
    assert await leases.acquire(run, 1, "claim/path") is None
    assert await lease(connection, namespace, run_lease(run.uid)) == before


async def test_runs_hold_theirs_beside_each_other(connection: Connection, namespace: str) -> None:
    runs = [await a_run(connection, namespace) for _ in range(8)]
    leases = KubeLeases(connection)
    answers = await asyncio.gather(*(leases.acquire(run, 1, f"claim/{run.name}") for run in runs))
    assert answers == [None] * 8
    held = [await holder(connection, namespace, run_lease(run.uid)) for run in runs]
    assert held == [f"{run.uid}.a1" for run in runs]


async def test_who_holds_it_is_told_and_not_robbed(connection: Connection, namespace: str) -> None:
    run, other = await a_run(connection, namespace), await a_run(connection, namespace)
    name = run_lease(run.uid)
    key = {"autopack.dev/lease-key": f"run/{namespace}/{run.name}/{run.uid}"}
    taken = bare_lease(name)
    taken["metadata"]["annotations"] = key
    taken["spec"] = {"holderIdentity": f"{other.uid}.a1"}
    kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(taken).encode())
    assert await KubeLeases(connection).acquire(run, 7, "claim/path") == LeaseConflict(name, f"{other.uid}.a1")
    assert await holder(connection, namespace, name) == f"{other.uid}.a1"


async def test_the_next_attempt_takes_it_over_and_the_earlier_one_is_out(
    connection: Connection, namespace: str
) -> None:
    run, leases = await a_run(connection, namespace), KubeLeases(connection)
    name = run_lease(run.uid)
    await leases.acquire(run, 1, "claim/a1")
    assert await leases.acquire(run, 2, "claim/a2") is None
    assert await holder(connection, namespace, name) == f"{run.uid}.a2"
    found = await lease(connection, namespace, name)
    assert found is not None
    assert found["metadata"]["annotations"]["autopack.dev/workspace"] == "claim/a2"
    assert await leases.acquire(run, 1, "claim/a1") == LeaseConflict(name, f"{run.uid}.a2")
    await leases.release(namespace, run.uid, 1)
    assert await holder(connection, namespace, name) == f"{run.uid}.a2"


async def test_nothing_is_left_of_released_leases_and_others_stay(connection: Connection, namespace: str) -> None:
    run, other, leases = await a_run(connection, namespace), await a_run(connection, namespace), KubeLeases(connection)
    await leases.acquire(run, 1, "claim/path")
    await leases.acquire(other, 1, "claim/other")
    kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(bare_lease(named("leader"))).encode())
    before = set(kubectl("get", "leases", "-n", namespace, "-o", "name").split())
    await leases.release(namespace, run.uid, 1)
    await leases.release(namespace, run.uid, 1)
    after = set(kubectl("get", "leases", "-n", namespace, "-o", "name").split())
    assert before - after == {f"lease.coordination.k8s.io/{run_lease(run.uid)}"}


async def test_a_lease_that_is_not_ours_is_not_touched(connection: Connection, namespace: str) -> None:
    run = await a_run(connection, namespace)
    name = run_lease(run.uid)
    kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(bare_lease(name)).encode())
    before = await lease(connection, namespace, name)
    assert await KubeLeases(connection).acquire(run, 1, "claim/path") is not None
    assert await lease(connection, namespace, name) == before
