"""Rights: exactly what the operator's code uses, and nothing for the others."""

from __future__ import annotations

from tests.chart.rendering import Objects

READ = {"get", "list", "watch"}
OPERATOR = {
    ("autopack.dev", "autopackruns"): READ | {"create", "delete"},
    ("autopack.dev", "autopackruns/status"): {"update"},
    ("autopack.dev", "runbatches"): READ | {"delete"},
    ("autopack.dev", "runbatches/status"): {"update"},
    ("autopack.dev", "runprofiles"): READ,
    ("", "pods"): READ | {"create", "delete"},
    ("coordination.k8s.io", "leases"): {"get", "create", "update", "deletecollection"},
    ("", "configmaps"): {"get"},
    ("events.k8s.io", "events"): {"create"},
}


def test_the_operators_role_is_exactly_what_it_uses(default: Objects) -> None:
    [role] = default.all("Role")
    granted: dict[tuple[str, str], set[str]] = {}
    for rule in role["rules"]:
        assert set(rule) == {"apiGroups", "resources", "verbs"}
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                granted.setdefault((group, resource), set()).update(rule["verbs"])
    assert granted == OPERATOR


def test_nobody_but_the_operator_has_rights(default: Objects) -> None:
    [binding] = default.all("RoleBinding")
    assert binding["roleRef"]["name"] == "autopack-operator"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "autopack-operator", "namespace": "agents"}]
    assert not default.all("ClusterRole") + default.all("ClusterRoleBinding")


def test_accounts_mount_no_token_by_themselves(default: Objects) -> None:
    accounts = {
        item["metadata"]["name"]: item["automountServiceAccountToken"] for item in default.all("ServiceAccount")
    }
    assert accounts == {"autopack-operator": False, "autopack-volume": False, "autopack-run": False}


def test_operator_and_volume_ask_for_their_token(default: Objects) -> None:
    tokens = {name: spec["automountServiceAccountToken"] for name, spec in default.pod_specs()}
    assert tokens == {"autopack-operator": True, "autopack-volume": True}
