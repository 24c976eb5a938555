"""The operator's Role is minimal: every verb of it is used, none that is used is missing, and no secret is in reach."""

from __future__ import annotations

import asyncio

import pytest
from scripts import deploy

from faults import manifests
from faults.plan import Fault, Kind, Match
from faults.rights import operators_role
from faults.workloads import WORKLOADS
from tests.e2e.played import Played, played

Right = tuple[str, str]


@pytest.fixture(scope="module")
def granted() -> set[Right]:
    """(resource, verb) of the chart's Role."""
    rules = [rule for item in operators_role("lab") if item["kind"] == "Role" for rule in item["rules"]]
    return {(resource, verb) for rule in rules for resource in rule["resources"] for verb in rule["verbs"]}


@pytest.fixture(scope="module")
def used() -> set[Right]:
    """(resource, verb) of what the operator's process asks for, over every workload and a few rarer ways."""
    return asyncio.run(_used())


async def _used() -> set[Right]:
    async with played() as scene:
        for name in WORKLOADS:
            _, wrong = await scene.lane.observe(name)
            assert wrong == []
        await _rarer_ways(scene)
        until = scene.lane.witness.until
        await until(lambda: ("leases", "list") in scene.lane.asked, "a look at Leases that came late", 60)
        return {right for right in scene.lane.asked if right[0] not in {"attempts", "commits"}}


async def _rarer_ways(scene: Played) -> None:
    """An anchor in a ConfigMap, a profile that is missing, a time to live, a deletion with a conflict, a lost child."""
    await scene.configmap("anchor", data={"anchor.json": manifests.ANCHOR})
    by_name = manifests.run("by-name", ttlSecondsAfterFinished={"succeeded": 0})
    by_name["metadata"]["annotations"] = {"autopack.dev/intention-anchor": "configmap/anchor"}
    await scene.create(by_name)
    find = scene.lane.witness.find
    await scene.lane.witness.until(lambda: "by-name-a1" in scene.pods("by-name"), "its pod", 30)
    await scene.lane.witness.until(lambda: find("AutopackRun", "by-name") is None, "its deletion", 30)
    await scene.create(manifests.run("no-profile", profileRef={"name": "absent"}))
    await scene.finished("no-profile")
    await scene.create(manifests.batch("bereft", ["a", "b"], "forever", workers=2))
    await scene.lane.witness.until(lambda: find("AutopackRun", "bereft-b") is not None, "its runs", 30)
    await scene.upstream.gone(scene.lane.witness.path("AutopackRun", "bereft-b"))
    await scene.upstream.merge(scene.lane.witness.path("RunBatch", "bereft"), {"spec": {"cancel": True}})
    await scene.finished("bereft", "RunBatch")
    deletion = Match(verb="delete", resource="runbatches", name="~")
    scene.lane.expect("brief", Fault(kind=Kind.STATUS, code=409, match=deletion))
    await scene.create(manifests.batch("brief", ["a"], "seconds=0.1", ttlSecondsAfterFinished={"succeeded": 0}))
    await scene.lane.witness.until(lambda: "brief-a-a1" in scene.pods("brief-a"), "its pod", 30)
    await scene.lane.witness.until(lambda: find("RunBatch", "brief") is None, "its deletion", 30)


def test_nothing_is_granted_that_is_not_used(granted: set[Right], used: set[Right]) -> None:
    assert sorted(granted - used) == []


def test_nothing_is_used_that_is_not_granted(granted: set[Right], used: set[Right]) -> None:
    assert sorted(used - granted) == []


def test_no_secret_is_in_reach(granted: set[Right]) -> None:
    assert not [right for right in granted if "secret" in right[0] or "*" in right]


def test_the_namespaces_of_the_tests_enforce_the_restricted_standard() -> None:
    labels = manifests.namespace("lab")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert "restricted" in deploy.ROOT.joinpath("scripts/deploy.py").read_text()
