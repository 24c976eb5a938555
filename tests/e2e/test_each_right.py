"""Each verb of the operator's Role is needed: without it the API server refuses a request of an ordinary workload."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from faults import manifests, rights
from faults.plan import Fault, Kind, Match
from faults.witness import phase
from tests.chart.rights import OPERATOR
from tests.e2e.played import Played, played

JsonDict = dict[str, Any]
Right = tuple[str, str, str]
"""API group, resource, verb."""

Way = Callable[[Played, str], Awaitable[None]]
pytestmark = pytest.mark.asyncio(loop_scope="module")

RIGHTS: list[Right] = sorted((*place, verb) for place, verbs in OPERATOR.items() for verb in verbs)
RESTARTED = frozenset({"list", "watch"})
SECONDS = 60.0


async def a_run(scene: Played, name: str) -> None:
    await scene.create(manifests.run(name, "seconds=0.1"))


async def a_batch(scene: Played, name: str) -> None:
    await scene.create(manifests.batch(name, ["a"], "seconds=0.1"))


async def a_canceled_run(scene: Played, name: str) -> None:
    await scene.create(manifests.run(name, "forever"))
    find = scene.lane.witness.find
    await scene.lane.witness.until(lambda: phase(find("AutopackRun", name)) == "Running", "its start", SECONDS)
    await scene.upstream.merge(scene.lane.witness.path("AutopackRun", name), {"spec": {"cancel": True}})


async def a_run_that_is_not_kept(scene: Played, name: str) -> None:
    await scene.create(manifests.run(name, "seconds=0.1", ttlSecondsAfterFinished={"succeeded": 0}))


async def a_batch_that_is_not_kept(scene: Played, name: str) -> None:
    await scene.create(manifests.batch(name, ["a"], "seconds=0.1", ttlSecondsAfterFinished={"succeeded": 0}))


async def a_batch_that_changes_when_it_is_deleted(scene: Played, name: str) -> None:
    deletion = Match(verb="delete", resource="runbatches", name="~")
    scene.lane.expect(name, Fault(kind=Kind.STATUS, code=409, match=deletion))
    await a_batch_that_is_not_kept(scene, name)


async def a_batch_whose_run_is_deleted(scene: Played, name: str) -> None:
    await scene.create(manifests.batch(name, ["a", "b"], "forever", workers=2))
    find = scene.lane.witness.find
    await scene.lane.witness.until(lambda: find("AutopackRun", f"{name}-b") is not None, "its runs", SECONDS)
    await scene.upstream.gone(scene.lane.witness.path("AutopackRun", f"{name}-b"))


async def a_profile_that_is_missing(scene: Played, name: str) -> None:
    await scene.create(manifests.run(name, profileRef={"name": "absent"}))


async def an_anchor_in_a_configmap(scene: Played, name: str) -> None:
    run = manifests.run(name)
    run["metadata"]["annotations"] = {"autopack.dev/intention-anchor": "configmap/anchor"}
    await scene.create(run)


async def a_restart(scene: Played, name: str) -> None:
    scene.lane.operators[0].kill()


WAYS: dict[tuple[str, str], Way] = {
    ("autopackruns", "create"): a_batch,
    ("autopackruns", "delete"): a_run_that_is_not_kept,
    ("autopackruns", "get"): a_batch_whose_run_is_deleted,
    ("autopackruns/status", "update"): a_run,
    ("runbatches", "delete"): a_batch_that_is_not_kept,
    ("runbatches", "get"): a_batch_that_changes_when_it_is_deleted,
    ("runbatches/status", "update"): a_batch,
    ("runprofiles", "get"): a_profile_that_is_missing,
    ("pods", "create"): a_run,
    ("pods", "delete"): a_canceled_run,
    ("pods", "get"): a_run,
    ("leases", "create"): a_run,
    ("leases", "deletecollection"): a_run,
    ("leases", "get"): a_restart,
    ("leases", "update"): a_restart,
    ("configmaps", "get"): an_anchor_in_a_configmap,
    ("events", "create"): a_run,
}
"""What asks for it; lists and watches come with a restart."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def scene() -> AsyncIterator[Played]:
    async with played() as opened:
        yield opened


@asynccontextmanager
async def without(scene: Played, right: Right) -> AsyncIterator[None]:
    """The Role has all verbs but that; it is whole again afterwards, and the operator leads."""
    role = f"{rights.RBAC}/namespaces/{scene.lane.namespace}/roles/{rights.OPERATOR}"
    whole = (await scene.upstream.request("GET", role))["rules"]
    await scene.upstream.merge(role, {"rules": [rule for rule in single(whole) if rule != single_rule(right)]})
    try:
        async with asyncio.timeout(SECONDS):
            while not await denied(scene, right):
                await asyncio.sleep(0.05)
        for operator in scene.lane.operators:
            operator.refused.clear()
        yield
    finally:
        await scene.upstream.merge(role, {"rules": whole})
        await scene.lane.until_led()


def single(rules: list[JsonDict]) -> list[JsonDict]:
    """The same rules, each of one verb for one resource."""
    places = [(group, name, rule) for rule in rules for group in rule["apiGroups"] for name in rule["resources"]]
    return [single_rule((group, name, verb)) for group, name, rule in places for verb in rule["verbs"]]


def single_rule(right: Right) -> JsonDict:
    group, resource, verb = right
    return {"apiGroups": [group], "resources": [resource], "verbs": [verb]}


async def denied(scene: Played, right: Right) -> bool:
    """Whether the API server knows of the loss by now."""
    group, resource, verb = right
    name, _, subresource = resource.partition("/")
    namespace = scene.lane.namespace
    asked = {"namespace": namespace, "group": group, "resource": name, "subresource": subresource, "verb": verb}
    account = f"system:serviceaccount:{namespace}:{rights.OPERATOR}"
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": account, "resourceAttributes": asked},
    }
    answer = await scene.upstream.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    return not answer["status"]["allowed"]


@pytest.mark.parametrize("right", RIGHTS, ids=[f"{verb} {name} of {group or 'core'}" for group, name, verb in RIGHTS])
async def test_without_it_a_request_is_refused(scene: Played, right: Right) -> None:
    _, resource, verb = right
    way = a_restart if verb in RESTARTED else WAYS[resource, verb]
    async with without(scene, right):
        await way(scene, f"{verb}-{resource.replace('/', '-')}")
        await scene.lane.witness.until(lambda: (resource, verb) in scene.lane.refused, f"a 403 for {right}", SECONDS)
    assert scene.lane.refused == {(resource, verb)}
