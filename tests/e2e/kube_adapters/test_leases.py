"""Leases as claims."""

from __future__ import annotations

import asyncio
import json

from scripts.deploy import kubectl

from autopack_operator.adapters.kube.connection import Connection, path
from autopack_operator.adapters.kube.lease_backend import LEASES
from autopack_operator.adapters.kube.leases import KubeLeases
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


async def test_it_names_holder_key_and_owner(connection: Connection, namespace: str) -> None:
    run, name = await a_run(connection, namespace), named("run")
    assert await KubeLeases(connection).acquire(run, 1, name, "the/key") is None
    found = await lease(connection, namespace, name)
    assert found is not None
    assert found["spec"]["holderIdentity"] == f"{run.uid}.a1"
    assert found["metadata"]["annotations"]["autopack.dev/lease-key"] == "the/key"
    [reference] = found["metadata"]["ownerReferences"]
    assert (reference["uid"], reference["controller"]) == (run.uid, False)


async def test_asking_again_is_granted_and_writes_nothing(connection: Connection, namespace: str) -> None:
    run, name, leases = await a_run(connection, namespace), named("run"), KubeLeases(connection)
    await leases.acquire(run, 1, name, "key")
    before = await lease(connection, namespace, name)
    assert await leases.acquire(run, 1, name, "key") is None
    assert await lease(connection, namespace, name) == before


async def test_another_run_is_told_who_holds_it(connection: Connection, namespace: str) -> None:
    first, second = await a_run(connection, namespace), await a_run(connection, namespace)
    name, leases = named("ws"), KubeLeases(connection)
    await leases.acquire(first, 1, name, "key")
    assert await leases.acquire(second, 7, name, "key") == LeaseConflict(name, f"{first.uid}.a1")
    assert await holder(connection, namespace, name) == f"{first.uid}.a1"


async def test_of_many_runs_one_gets_it(connection: Connection, namespace: str) -> None:
    runs = await asyncio.gather(*(a_run(connection, namespace) for _ in range(8)))
    name, leases = named("ws"), KubeLeases(connection)
    answers = await asyncio.gather(*(leases.acquire(run, 1, name, "key") for run in runs))
    assert answers.count(None) == 1
    assert await holder(connection, namespace, name) == f"{runs[answers.index(None)].uid}.a1"


async def test_the_next_attempt_takes_it_over_and_the_earlier_one_is_out(
    connection: Connection, namespace: str
) -> None:
    run, name, leases = await a_run(connection, namespace), named("run"), KubeLeases(connection)
    await leases.acquire(run, 1, name, "key")
    assert await leases.acquire(run, 2, name, "key") is None
    assert await holder(connection, namespace, name) == f"{run.uid}.a2"
    assert await leases.acquire(run, 1, name, "key") == LeaseConflict(name, f"{run.uid}.a2")
    await leases.release(namespace, run.uid, 1)
    assert await holder(connection, namespace, name) == f"{run.uid}.a2"


async def test_nothing_is_left_of_released_leases_and_others_stay(connection: Connection, namespace: str) -> None:
    run, other = await a_run(connection, namespace), await a_run(connection, namespace)
    names, leases = (named("run"), named("ws"), named("run")), KubeLeases(connection)
    await leases.acquire(run, 1, names[0], "key")
    await leases.acquire(run, 1, names[1], "key")
    await leases.acquire(other, 1, names[2], "key")
    kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(bare_lease(named("leader"))).encode())
    before = set(kubectl("get", "leases", "-n", namespace, "-o", "name").split())
    await leases.release(namespace, run.uid, 1)
    await leases.release(namespace, run.uid, 1)
    after = set(kubectl("get", "leases", "-n", namespace, "-o", "name").split())
    assert before - after == {f"lease.coordination.k8s.io/{name}" for name in names[:2]}


async def test_a_lease_that_is_not_ours_is_not_touched(connection: Connection, namespace: str) -> None:
    run, name = await a_run(connection, namespace), named("run")
    kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(bare_lease(name)).encode())
    before = await lease(connection, namespace, name)
    assert await KubeLeases(connection).acquire(run, 1, name, "key") is not None
    assert await lease(connection, namespace, name) == before
