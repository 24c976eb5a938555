"""Rights: exactly what the operator's code uses, and nothing for the others."""

from __future__ import annotations

from tests.chart.rendering import Helm, JsonDict, Objects
from tests.chart.rights import OPERATOR, READ


def test_the_operators_role_is_exactly_what_it_uses(default: Objects) -> None:
    assert granted(default.one("Role", "autopack-operator")) == OPERATOR


def granted(role: JsonDict) -> dict[tuple[str, str], set[str]]:
    """Verbs by API group and resource."""
    granted: dict[tuple[str, str], set[str]] = {}
    for rule in role["rules"]:
        assert set(rule) == {"apiGroups", "resources", "verbs"}
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                granted.setdefault((group, resource), set()).update(rule["verbs"])
    return granted


def test_no_role_reaches_a_secret(default: Objects) -> None:
    roles = [*default.all("Role"), *default.all("ClusterRole")]
    resources = {resource for role in roles for rule in role["rules"] for resource in rule["resources"]}
    assert len(roles) > 2
    assert not [resource for resource in resources if resource == "*" or resource.startswith("secrets")]


def test_nobody_but_the_operator_has_rights(default: Objects) -> None:
    [binding] = default.all("RoleBinding")
    assert binding["roleRef"]["name"] == "autopack-operator"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "autopack-operator", "namespace": "agents"}]
    assert not default.all("ClusterRoleBinding")


def test_accounts_mount_no_token_by_themselves(default: Objects) -> None:
    accounts = {
        item["metadata"]["name"]: item["automountServiceAccountToken"] for item in default.all("ServiceAccount")
    }
    assert accounts == {"autopack-operator": False, "autopack-volume": False, "autopack-run": False}


def test_operator_and_volume_ask_for_their_token(default: Objects) -> None:
    tokens = {name: spec["automountServiceAccountToken"] for name, spec in default.pod_specs()}
    assert tokens == {"autopack-operator": True, "autopack-volume": True}


RUNS = {("autopack.dev", "autopackruns"), ("autopack.dev", "runbatches")}
PROFILES = ("autopack.dev", "runprofiles")
WRITE = {"create", "update", "patch", "delete"}
LOOK = {**dict.fromkeys(RUNS, READ), PROFILES: READ}


def of_people(objects: Objects, role: str) -> JsonDict:
    return objects.one("ClusterRole", f"autopack.agents.{role}.autopack.dev")


def test_people_who_view_the_namespace_see_runs(default: Objects) -> None:
    assert granted(of_people(default, "view")) == LOOK


def test_people_who_edit_the_namespace_make_runs_and_no_profiles(default: Objects) -> None:
    assert granted(of_people(default, "edit")) == dict.fromkeys(RUNS, WRITE)


def test_who_makes_runs_does_not_approve_what_they_deliver(default: Objects) -> None:
    approver = of_people(default, "approver")
    assert granted(approver) == {
        ("autopack.dev", "autopackruns"): READ | {"update", "patch", "approve", "reject"},
        ("autopack.dev", "runbatches"): READ,
    }
    assert not [name for name in approver["metadata"]["labels"] if "aggregate-to-" in name]
    others = [role for role in default.all("ClusterRole") if role is not approver]
    assert not [verb for role in others for rule in role["rules"] for verb in rule["verbs"] if verb in {"approve", "*"}]


def test_people_who_administer_the_namespace_make_profiles(default: Objects) -> None:
    assert granted(of_people(default, "admin")) == {PROFILES: WRITE}


def test_the_roles_of_people_join_the_clusters_own(default: Objects) -> None:
    joined = {
        role: {
            name.removeprefix("rbac.authorization.k8s.io/aggregate-to-")
            for name in of_people(default, role)["metadata"]["labels"]
            if "aggregate-to-" in name
        }
        for role in ("view", "edit", "admin")
    }
    assert joined == {"view": {"view", "edit", "admin"}, "edit": {"edit", "admin"}, "admin": {"admin"}}


def test_readers_see_what_runs_left(default: Objects) -> None:
    ways = {("", "pods"): {"get", "list"}, ("", "pods/portforward"): {"create"}}
    assert granted(default.one("Role", "autopack-reader")) == LOOK | ways


def test_the_roles_of_people_can_be_left_out(helm: Helm) -> None:
    objects = helm.template({"userRoles": {"create": False}})
    assert not objects.all("ClusterRole")
    assert objects.names("Role") == {"autopack-operator"}
