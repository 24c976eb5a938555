"""`kubectl autopack deliver`, `approve`, `reject` and `pr`: what they ask of the API server, print and return."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.autopack_cli.cluster.conftest import Call
from tests.unit.autopack_cli.cluster.small_cluster import ROOT, SmallCluster

JsonDict = dict[str, Any]
SHA = "0123456789abcdef0123456789abcdef01234567"
PULL: JsonDict = {"number": 7, "url": "https://git.example/acme/app/pulls/7"}


def add(cluster: SmallCluster, name: str, state: str = "", phase: str = "Succeeded", **spec: object) -> None:
    delivery = {"state": state, "branch": f"agents/{name}", "source": SHA, "message": "because\x1b[31m"}
    status: JsonDict = {"phase": phase} | ({"delivery": delivery} if state else {})
    cluster.add("autopackruns", name, status=status, spec=spec)


def spec(cluster: SmallCluster, name: str) -> JsonDict:
    found: JsonDict = cluster.objects[f"{ROOT}/autopackruns/{name}"]["spec"]
    return found


def test_deliver_sets_the_wish_of_a_finished_run(call: Call, cluster: SmallCluster) -> None:
    add(cluster, "x")
    assert call("deliver", "x", "--branch", "agents/y", "--squash", "--title", "T", "--draft").code == 0
    wish = {"branch": "agents/y", "squash": True, "pullRequest": {"title": "T", "draft": True}}
    assert spec(cluster, "x") == {"deliver": wish}


@pytest.mark.parametrize("state", ["Conflict", "Refused", "Failed"])
def test_deliver_tries_again_what_failed_and_keeps_the_wish(call: Call, cluster: SmallCluster, state: str) -> None:
    add(cluster, "x", state, deliver={"branch": "agents/x", "pullRequest": {"labels": ["a"]}, "round": 2})
    assert call("deliver", "x", "--base", "next").code == 0
    pull = {"labels": ["a"], "base": "next"}
    assert spec(cluster, "x")["deliver"] == {"branch": "agents/x", "pullRequest": pull, "round": 3}


@pytest.mark.parametrize(
    ("state", "phase", "words"),
    [
        ("Pending", "Succeeded", "under way already"),
        ("AwaitingApproval", "Succeeded", "under way already"),
        ("Delivered", "Succeeded", "is delivered already"),
        ("", "Failed", "ended Failed; --even-if-failed"),
    ],
)
def test_deliver_says_why_there_is_nothing_to_do(
    call: Call, cluster: SmallCluster, state: str, phase: str, words: str
) -> None:
    add(cluster, "x", state, phase)
    said = call("deliver", "x")
    assert (said.code, spec(cluster, "x")) == (1, {})
    assert words in said.err
    assert said.err.replace("\n", "").isprintable()


def test_deliver_takes_the_work_of_a_failed_run_where_that_is_asked_for(call: Call, cluster: SmallCluster) -> None:
    add(cluster, "x", "", "Failed")
    assert call("deliver", "x", "--even-if-failed").code == 0
    assert spec(cluster, "x")["deliver"] == {"when": "Always"}


def test_one_branch_is_for_one_run(call: Call, cluster: SmallCluster) -> None:
    add(cluster, "x")
    add(cluster, "y")
    assert call("deliver", "x", "y", "--branch", "agents/z").code == 2


@pytest.mark.parametrize(("verb", "decision"), [("approve", "Approved"), ("reject", "Rejected")])
def test_an_answer_is_about_the_commit_that_awaits_it(
    call: Call, cluster: SmallCluster, verb: str, decision: str
) -> None:
    add(cluster, "x", "AwaitingApproval")
    add(cluster, "y", "Pending")
    said = call(verb, "x", "y", "-m", "looks good", "--commit", SHA[:7])
    assert (said.code, said.out) == (0, f"run/x {decision.lower()}: {SHA[:12]} on agents/x\n")
    approval = {"decision": decision, "commit": SHA, "branch": "agents/x", "by": "jo", "message": "looks good"}
    assert (spec(cluster, "x"), spec(cluster, "y")) == ({"approval": approval}, {})


def test_another_commit_than_the_one_that_was_read_is_not_approved(call: Call, cluster: SmallCluster) -> None:
    add(cluster, "x", "AwaitingApproval")
    said = call("approve", "x", "--commit", "fff")
    assert (said.code, spec(cluster, "x")) == (2, {})
    assert f"awaits approval of {SHA}, which is not fff" in said.err


def test_what_was_rejected_can_still_be_approved(call: Call, cluster: SmallCluster) -> None:
    add(cluster, "x", "Refused", deliver={"round": 1})
    assert call("approve", "x").code == 1
    cluster.objects[f"{ROOT}/autopackruns/x"]["status"]["delivery"]["reason"] = "Rejected"
    assert call("reject", "x").code == 1
    assert call("approve", "x").code == 0
    assert spec(cluster, "x")["deliver"] == {"round": 2}
    assert spec(cluster, "x")["approval"]["decision"] == "Approved"


def test_where_nothing_awaits_approval_nothing_is_changed(call: Call, cluster: SmallCluster) -> None:
    add(cluster, "x", "Delivered")
    said = call("approve", "x")
    assert (said.code, said.err, spec(cluster, "x")) == (1, "nothing awaits approval\n", {})


def test_who_may_not_approve_is_told_by_the_policy(call: Call, cluster: SmallCluster) -> None:
    add(cluster, "x", "AwaitingApproval")
    cluster.refused[f"PUT {ROOT}/autopackruns/x"] = 403, "denied request: jo needs the verb approve"
    said = call("approve", "x")
    assert said.code == 4
    assert "jo needs the verb approve" in said.err


def test_pr_prints_the_address_or_how_far_it_is(call: Call, cluster: SmallCluster) -> None:
    add(cluster, "x", "Delivered")
    cluster.objects[f"{ROOT}/autopackruns/x"]["status"]["delivery"]["pullRequest"] = PULL
    add(cluster, "y", "Conflict")
    said = call("pr", "x", "y")
    assert (said.code, said.out) == (1, f"{PULL['url']}\n")
    assert "run/y has no pull request (Conflict as agents/y: because" in said.err
    assert PULL["url"] in call("get", "runs", "-o", "wide").out
