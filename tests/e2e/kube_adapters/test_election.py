"""One leader at a time."""

from __future__ import annotations

import asyncio
import json

from scripts.deploy import kubectl

from autopack_operator.adapters.clock import SystemClock
from autopack_operator.adapters.kube.connection import Connection
from autopack_operator.adapters.kube.election import KubeLeadership
from tests.e2e.kube_adapters.builders import (
    bare_lease,
    named,
)


def candidate(connection: Connection, namespace: str, name: str, identity: str) -> KubeLeadership:
    return KubeLeadership(connection, namespace, name, identity, SystemClock())


async def test_a_second_candidate_waits_until_the_first_lets_go(connection: Connection, namespace: str) -> None:
    name = named("leader")
    # As the chart makes it: without a spec.
    manifest = bare_lease(name)
    del manifest["spec"]
    kubectl("create", "-n", namespace, "-f", "-", stdin=json.dumps(manifest).encode())
    first = candidate(connection, namespace, name, "first")
    second = candidate(connection, namespace, name, "second")
    await asyncio.wait_for(first.acquire(), 10)
    waiting = asyncio.create_task(second.acquire())
    await asyncio.sleep(4)
    assert not waiting.done()
    await first.release()
    await asyncio.wait_for(waiting, 10)
    assert kubectl("get", "lease", name, "-n", namespace, "-o", "jsonpath={.spec.holderIdentity}") == "second"


async def test_of_many_candidates_one_leads(connection: Connection, namespace: str) -> None:
    name = named("leader")
    candidates = [candidate(connection, namespace, name, f"c{number}") for number in range(8)]
    waiting = [asyncio.create_task(candidate.acquire()) for candidate in candidates]
    await asyncio.sleep(3)
    assert sum(task.done() for task in waiting) == 1
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)


async def test_a_renewing_leader_holds_on_and_one_that_was_robbed_is_told(
    connection: Connection, namespace: str
) -> None:
    name = named("leader")
    leader = candidate(connection, namespace, name, "leader")
    await leader.acquire()
    holding = asyncio.create_task(leader.hold())
    await asyncio.sleep(7)
    assert not holding.done()
    patch = json.dumps({"spec": {"holderIdentity": "thief"}})
    kubectl("patch", "lease", name, "-n", namespace, "--type=merge", "-p", patch)
    await asyncio.wait_for(holding, 10)


async def test_releasing_what_another_holds_changes_nothing(connection: Connection, namespace: str) -> None:
    name = named("leader")
    await candidate(connection, namespace, name, "first").acquire()
    await candidate(connection, namespace, name, "second").release()
    assert kubectl("get", "lease", name, "-n", namespace, "-o", "jsonpath={.spec.holderIdentity}") == "first"
