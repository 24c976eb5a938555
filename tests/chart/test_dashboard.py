"""The dashboard: off by default, and when it is there with few rights and no way to write."""

from __future__ import annotations

from typing import Any

import pytest

from autopack_dashboard.settings import Settings
from tests.chart.pod_security import violations
from tests.chart.rendering import ChartRefusedError, Helm, JsonDict, Objects, environment

ON = {"dashboard": {"enabled": True}}
NAME = "autopack-dashboard"


@pytest.fixture(scope="module")
def objects(helm: Helm) -> Objects:
    return helm.template(ON)


def pod(objects: Objects, component: str = "dashboard") -> JsonDict:
    spec: JsonDict = objects.one("Deployment", f"autopack-{component}")["spec"]["template"]["spec"]
    return spec


def test_it_is_off_by_default(default: Objects) -> None:
    assert not [item for item in default if item["metadata"]["name"].startswith(NAME)]
    assert NAME not in environment(pod(default, "volume")["containers"][0])["AUTOPACK_ALLOWED_READERS"]


def test_its_pod_is_restricted(objects: Objects) -> None:
    assert violations(pod(objects)) == []
    assert pod(objects)["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True


def test_the_program_understands_what_it_is_told_and_asks_everybody(objects: Objects) -> None:
    settings = Settings.from_environment(environment(pod(objects)["containers"][0]))
    assert (settings.asks_who, settings.namespace, settings.installation, settings.port) == (
        True,
        "agents",
        "agents",
        8080,
    )
    assert str(settings.database.path) == "/var/lib/autopack/registry.db"


def test_it_may_ask_who_somebody_is_and_what_he_may_and_nothing_else(objects: Objects) -> None:
    role = objects.one("Role", NAME)
    assert role["rules"] == [
        {"apiGroups": ["authorization.k8s.io"], "resources": ["localsubjectaccessreviews"], "verbs": ["create"]}
    ]
    [cluster_role] = [role for role in objects.all("ClusterRole") if role["metadata"]["name"].startswith(NAME)]
    assert cluster_role["rules"] == [
        {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]}
    ]
    account = [{"kind": "ServiceAccount", "name": NAME, "namespace": "agents"}]
    bindings = [objects.one("RoleBinding", NAME), *objects.all("ClusterRoleBinding")]
    assert [binding["subjects"] for binding in bindings] == [account, account]


def test_installations_share_no_cluster_role(helm: Helm) -> None:
    places = [("autopack", "a"), ("autopack", "b"), ("autopack", "a-autopack"), ("other", "a")]
    names = [
        name
        for release, space in places
        for name in helm.template(ON, release=release, namespace=space).names("ClusterRole")
    ]
    assert names
    assert len(set(names)) == len(names)


def test_it_reads_the_registrys_file_through_a_mount_that_it_cannot_write(objects: Objects) -> None:
    mounts = {mount["name"]: mount for mount in pod(objects)["containers"][0]["volumeMounts"]}
    assert mounts["registry"] == {"name": "registry", "mountPath": "/var/lib/autopack", "readOnly": True}
    assert "runs" not in mounts


def test_with_postgres_it_has_the_address_of_its_own_role_if_there_is_one(helm: Helm) -> None:
    registry = {"registry": {"databaseSecret": "rw"}}
    for values, secret in ((ON, "rw"), ({"dashboard": {"enabled": True, "databaseSecret": "ro"}}, "ro")):
        container = pod(helm.template(values | registry))["containers"][0]
        [source] = [item["valueFrom"] for item in container["env"] if item["name"] == "DATABASE_URL"]
        assert source == {"secretKeyRef": {"name": secret, "key": "DATABASE_URL"}}
        assert "registry" not in [mount["name"] for mount in container["volumeMounts"]]


def test_without_a_registry_that_it_can_read_it_is_refused(helm: Helm) -> None:
    with pytest.raises(ChartRefusedError, match=r"registry\.persistent=true"):
        helm.template(ON | {"registry": {"persistent": False}})


def test_on_a_volume_of_one_node_it_goes_to_that_node(helm: Helm) -> None:
    spec = pod(helm.template(ON | {"storage": {"accessMode": "ReadWriteOnce"}}))
    assert "podAffinity" in spec["affinity"]


def test_the_volume_service_lets_it_read(objects: Objects) -> None:
    env = environment(pod(objects, "volume")["containers"][0])
    assert env["AUTOPACK_ALLOWED_READERS"] == f"system:serviceaccount:agents:{NAME}"
    assert NAME not in env["AUTOPACK_ALLOWED_CALLERS"]
    labels = objects.one("Deployment", NAME)["spec"]["template"]["metadata"]["labels"]
    [rule] = objects.one("NetworkPolicy", "autopack-volume")["spec"]["ingress"]
    assert {"podSelector": {"matchLabels": labels}} in rule["from"]


@pytest.mark.parametrize("peers", [[], [{"namespaceSelector": {"matchLabels": {"name": "ingress"}}}]])
def test_who_reaches_it_is_the_administrators_decision(helm: Helm, peers: list[Any]) -> None:
    objects = helm.template({"dashboard": {"enabled": True, "allowedFrom": peers}})
    [rule] = objects.one("NetworkPolicy", NAME)["spec"]["ingress"]
    assert rule.get("from", []) == peers
    assert rule["ports"] == [{"port": 8080, "protocol": "TCP"}]


def test_its_service_reaches_its_pod(objects: Objects) -> None:
    service = objects.one("Service", NAME)
    labels = objects.one("Deployment", NAME)["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] == labels
    assert service["spec"]["ports"] == [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]
