"""Requests are described alike in every trial, whatever their UIDs."""

from __future__ import annotations

import json

import pytest

from faults.calls import Call, Names, describe

OTHER = "1f8fad5b-d9cb-469f-a165-70867728950e"
UID = "0f8fad5b-d9cb-469f-a165-70867728950e"
NS = "/namespaces/lab"
LEASES = f"/apis/coordination.k8s.io/v1{NS}/leases"
RUNS = f"/apis/autopack.dev/v1alpha1{NS}/autopackruns"
OWNED = {"metadata": {"name": f"run-{UID}", "ownerReferences": [{"uid": UID, "name": "one"}]}, "spec": {}}


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", f"{RUNS}?limit=500", {}, Call("list", "autopackruns", "")),
        ("GET", f"{RUNS}?limit=1", {}, Call("probe", "autopackruns", "")),
        ("GET", f"{RUNS}?watch=true&limit=1", {}, Call("watch", "autopackruns", "")),
        ("GET", f"/api/v1{NS}/pods/one-a1", {}, Call("get", "pods", "one-a1")),
        ("PUT", f"{RUNS}/one/status", {"spec": {}}, Call("update", "autopackruns/status", "one")),
        (
            "PUT",
            f"{RUNS}/one/status",
            {"spec": {}, "status": {"reason": "Retrying"}},
            Call("update", "autopackruns/status", "one", "Retrying"),
        ),
        ("POST", LEASES, OWNED, Call("create", "leases", "lock of one")),
        ("GET", f"{LEASES}/run-{UID}", {}, Call("get", "leases", "lock of one")),
        ("PUT", f"{LEASES}/leader", {}, Call("update", "leases", "leader")),
        ("DELETE", f"{LEASES}?labelSelector=x%3D{UID}", {}, Call("deletecollection", "leases", "leases of one")),
        ("DELETE", f"/api/v1{NS}/pods/one-a1", {}, Call("delete", "pods", "one-a1")),
        ("POST", f"/apis/events.k8s.io/v1{NS}/events", {"regarding": {"name": "one"}}, Call("create", "events", "one")),
        ("PUT", f"/v1/attempts/{UID}/2", {"runId": "one"}, Call("create", "attempts", "one-a2")),
        ("POST", f"/v1/attempts/{UID}/2/commit", {"runId": "one"}, Call("create", "commits", "one-a2")),
    ],
)
def test_requests(method: str, path: str, body: dict[str, object], expected: Call) -> None:
    names = Names({UID: "one"})
    assert describe(method, path, json.dumps(body).encode(), names) == expected


def test_names_are_learnt_from_the_requests_themselves() -> None:
    names = Names()
    assert describe("GET", f"{LEASES}/run-{UID}", b"", names) == Call("get", "leases", "lock of ?")
    assert describe("POST", LEASES, json.dumps(OWNED).encode(), names) == Call("create", "leases", "lock of one")
    assert describe("GET", f"{LEASES}/run-{UID}", b"", names) == Call("get", "leases", "lock of one")


@pytest.mark.parametrize("path", ["/apis", "/api/v1", "/version", f"/api/v1{NS}"])
def test_discovery_is_no_call(path: str) -> None:
    assert describe("GET", path, b"", Names()) is None


def test_a_body_that_is_not_json_is_no_obstacle() -> None:
    assert describe("POST", LEASES, b"\xff", Names()) == Call("create", "leases", "")


def test_only_changes_are_mutating() -> None:
    assert [Call(verb, "pods", "x").mutating for verb in ("get", "list", "watch", "create", "deletecollection")] == [
        False,
        False,
        False,
        True,
        True,
    ]


def test_a_release_of_several_runs_names_each() -> None:
    path = f"{LEASES}?labelSelector=x%20in%20%28{UID}%2C{OTHER}%29"
    call = describe("DELETE", path, b"", Names({UID: "one", OTHER: "two"}))
    assert call == Call("deletecollection", "leases", "leases of one two")
    assert call.names == ["leases of one", "leases of two"]
