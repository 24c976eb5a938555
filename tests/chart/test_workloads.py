"""The two Deployments: what the programs in them are told, how safely they run, where they go."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from autopack_operator.settings import Settings as OperatorSettings
from autopack_volume.service.settings import Settings
from tests.chart.pod_security import violations
from tests.chart.rendering import Helm, JsonDict, Objects, containers, environment

OPERATOR_ENV = {
    "AUTOPACK_NAMESPACE": "agents",
    "AUTOPACK_CLAIM": "autopack-runs",
    "AUTOPACK_ACCESS_MODE": "ReadWriteMany",
    "AUTOPACK_IMAGE": "autopack-operator:0.1.0",
    "AUTOPACK_IMAGE_PULL_POLICY": "IfNotPresent",
    "AUTOPACK_VOLUME_URL": "http://autopack-volume.agents.svc:8080",
    "AUTOPACK_VOLUME_TOKEN_FILE": "/var/run/secrets/autopack/volume/token",
    "AUTOPACK_RUN_SERVICE_ACCOUNT": "autopack-run",
    "AUTOPACK_LEADER_LEASE": "autopack-operator-leader",
    "AUTOPACK_WORKERS": "16",
    "AUTOPACK_API_QPS": "0",
    "AUTOPACK_RESYNC_SECONDS": "300",
    "AUTOPACK_LOG_LEVEL": "INFO",
    "AUTOPACK_HTTP_LISTEN": "0.0.0.0:8081",
}
VOLUME_ENV = {
    "AUTONOMOUS_RUNS_DIR": "/autopack",
    "AUTOPACK_LISTEN": "0.0.0.0:8080",
    "AUTOPACK_ALLOWED_CALLERS": "system:serviceaccount:agents:autopack-operator",
    "AUTOPACK_ALLOWED_READERS": "",
    "AUTOPACK_READ_LISTEN": "127.0.0.1:8082",
    "AUTOPACK_TOKEN_AUDIENCE": "autopack-volume",
    "AUTOPACK_ALLOWED_PROTOCOLS": "https:ssh",
    "AUTOPACK_FETCH_TIMEOUT_SECONDS": "600",
}
PLACEMENT = {
    "priorityClassName": "high",
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
}


def deployment(objects: Objects, component: str) -> JsonDict:
    return objects.one("Deployment", f"autopack-{component}")


def pod(objects: Objects, component: str) -> JsonDict:
    spec: JsonDict = deployment(objects, component)["spec"]["template"]["spec"]
    return spec


def container(objects: Objects, component: str) -> JsonDict:
    [only] = pod(objects, component)["containers"]
    found: JsonDict = only
    return found


def test_operator_is_told_what_it_reads(default: Objects) -> None:
    env = environment(container(default, "operator"))
    assert env | OPERATOR_ENV == env
    assert container(default, "operator")["command"] == ["autopack-operator"]


def test_operator_learns_its_pods_name(default: Objects) -> None:
    sources = {item["name"]: item["valueFrom"] for item in container(default, "operator")["env"] if "valueFrom" in item}
    assert sources == {"AUTOPACK_POD_NAME": {"fieldRef": {"fieldPath": "metadata.name"}}}


def test_volume_service_is_told_what_it_reads(default: Objects) -> None:
    env = environment(container(default, "volume"))
    assert env | VOLUME_ENV == env
    assert container(default, "volume")["command"] == ["autopack-runtime", "volume"]


def test_volume_service_understands_what_it_is_told(default: Objects, tmp_path: Path) -> None:
    env = environment(container(default, "volume")) | {"AUTONOMOUS_RUNS_DIR": str(tmp_path)}
    settings = Settings.from_environment(env)
    assert settings.allowed_callers == {"system:serviceaccount:agents:autopack-operator"}
    assert (settings.port, settings.protocols, settings.fetch_timeout) == (8080, ("https", "ssh"), 600)


def test_volume_selector_is_the_volume_pods_labels(helm: Helm) -> None:
    """A ReadWriteOnce volume's runs are placed by it."""
    objects = helm.template(release="123")
    name = "123-autopack"
    text = environment(objects.one("Deployment", f"{name}-operator")["spec"]["template"]["spec"]["containers"][0])
    labels = objects.one("Deployment", f"{name}-volume")["spec"]["template"]["metadata"]["labels"]
    assert dict(pair.split("=") for pair in text["AUTOPACK_VOLUME_SELECTOR"].split(",")) == labels


def test_the_token_for_the_volume_service_is_for_it_alone(default: Objects) -> None:
    [projected] = [v["projected"] for v in pod(default, "operator")["volumes"] if "projected" in v]
    token = {"path": "token", "audience": "autopack-volume", "expirationSeconds": 3600}
    assert projected["sources"] == [{"serviceAccountToken": token}]


def test_all_pods_are_one_user_and_the_runs_as_well(helm: Helm) -> None:
    ids = {"runAsUser": 1000680000, "runAsGroup": 1000680001}
    objects = helm.template({"podSecurity": ids, "storage": {"chown": True}, "dashboard": {"enabled": True}})
    for _, spec in objects.pod_specs():
        assert spec["securityContext"].items() >= (ids | {"fsGroup": 1000680001}).items()
    told = OperatorSettings.from_environment(environment(container(objects, "operator")) | {"AUTOPACK_POD_NAME": "x"})
    assert (told.pods.run_as_user, told.pods.run_as_group) == (1000680000, 1000680001)
    [chown] = pod(objects, "volume")["initContainers"]
    assert {"--owner=1000680000", "--group=1000680001"} <= set(chown["command"])


@pytest.mark.parametrize("values", [{}, {"operator": {"replicas": 3}, "storage": {"accessMode": "ReadWriteOnce"}}])
def test_every_pod_is_restricted(helm: Helm, values: dict[str, Any]) -> None:
    problems = {name: violations(spec) for name, spec in helm.template(values).pod_specs()}
    assert problems == {"autopack-operator": [], "autopack-volume": []}


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("pod", {"hostNetwork": True}),
        ("pod", {"volumes": [{"name": "x", "hostPath": {"path": "/"}}]}),
        ("pod", {"securityContext": {"runAsNonRoot": True}}),
        ("container", {"privileged": True}),
        ("container", {"runAsUser": 0}),
        ("container", {"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}),
        ("container", {"allowPrivilegeEscalation": True}),
    ],
)
def test_the_check_sees_what_restricted_refuses(default: Objects, where: str, change: JsonDict) -> None:
    spec = copy.deepcopy(pod(default, "operator"))
    if where == "pod":
        spec |= change
    else:
        spec["containers"][0]["securityContext"] |= change
    assert len(violations(spec)) == 1


def test_all_write_as_one_user_onto_a_read_only_root(default: Objects) -> None:
    for _, spec in default.pod_specs():
        security = spec["securityContext"]
        assert {security[key] for key in ("runAsUser", "runAsGroup", "fsGroup")} == {65532}
        assert security["fsGroupChangePolicy"] == "OnRootMismatch"
        assert all(each["securityContext"]["readOnlyRootFilesystem"] for each in containers(spec))
        assert {"name": "tmp", "mountPath": "/tmp"} in spec["containers"][0]["volumeMounts"]


@pytest.mark.parametrize(("component", "port"), [("operator", 8081), ("volume", 8080)])
def test_probes_ask_the_components_own_port(default: Objects, component: str, port: int) -> None:
    item = container(default, component)
    paths = {kind: item[kind]["httpGet"] for kind in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {
        "startupProbe": {"path": "/livez", "port": "http"},
        "livenessProbe": {"path": "/livez", "port": "http"},
        "readinessProbe": {"path": "/readyz", "port": "http"},
    }
    assert item["ports"] == [{"name": "http", "containerPort": port, "protocol": "TCP"}]


@pytest.mark.parametrize(("component", "cpu"), [("operator", "250m"), ("volume", "100m")])
def test_resources_are_asked_for_and_memory_is_bounded(default: Objects, component: str, cpu: str) -> None:
    """At 50m the leader lost its Lease beside 30 pods of runs on two cores."""
    resources = container(default, component)["resources"]
    assert set(resources["requests"]) == {"cpu", "memory"}
    assert resources["requests"]["cpu"] == cpu
    assert "memory" in resources["limits"]


def test_there_is_one_volume_service_at_any_time(default: Objects) -> None:
    spec = deployment(default, "volume")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_the_service_reaches_the_volume_pod(default: Objects) -> None:
    [service] = default.all("Service")
    labels = deployment(default, "volume")["spec"]["template"]["metadata"]["labels"]
    assert service["metadata"]["name"] == "autopack-volume"
    assert service["spec"]["ports"] == [{"name": "http", "port": 8080, "targetPort": "http", "protocol": "TCP"}]
    assert service["spec"]["selector"] == labels


def test_one_replica_has_no_disruption_budget(default: Objects) -> None:
    """It would block the draining of its node forever."""
    assert default.all("PodDisruptionBudget") == []


def test_several_replicas_have_a_budget_and_spread(helm: Helm) -> None:
    objects = helm.template({"operator": {"replicas": 3}})
    [budget] = objects.all("PodDisruptionBudget")
    labels = deployment(objects, "operator")["spec"]["template"]["metadata"]["labels"]
    assert (budget["spec"]["maxUnavailable"], budget["spec"]["selector"]["matchLabels"]) == (1, labels)
    assert deployment(objects, "operator")["spec"]["replicas"] == 3
    assert "podAntiAffinity" in pod(objects, "operator")["affinity"]


@pytest.mark.parametrize("component", ["operator", "volume"])
def test_placement_is_the_administrators(helm: Helm, component: str) -> None:
    own = {
        "podAnnotations": {"team": "a"},
        "terminationGracePeriodSeconds": 7,
        "extraEnv": [{"name": "X", "value": "1"}],
    }
    objects = helm.template({component: PLACEMENT | own})
    spec = pod(objects, component)
    assert {key: spec[key] for key in PLACEMENT} == PLACEMENT
    assert spec["terminationGracePeriodSeconds"] == 7
    assert deployment(objects, component)["spec"]["template"]["metadata"]["annotations"]["team"] == "a"
    assert environment(container(objects, component))["X"] == "1"


@pytest.mark.parametrize(
    ("image", "reference"),
    [
        ({}, "autopack-operator:0.1.0"),
        ({"repository": "registry.example.com:5000/a/b", "tag": "v1"}, "registry.example.com:5000/a/b:v1"),
        ({"tag": "v1", "digest": f"sha256:{'a' * 64}"}, f"autopack-operator@sha256:{'a' * 64}"),
    ],
)
def test_one_image_everywhere(helm: Helm, image: dict[str, str], reference: str) -> None:
    objects = helm.template({"image": image})
    assert {each["image"] for _, spec in objects.pod_specs() for each in containers(spec)} == {reference}
    assert environment(container(objects, "operator"))["AUTOPACK_IMAGE"] == reference


def test_pull_secrets_reach_every_pod(helm: Helm) -> None:
    """A run's pod gets them from its service account."""
    secrets = [{"name": "registry"}]
    objects = helm.template({"imagePullSecrets": secrets})
    assert [spec["imagePullSecrets"] for _, spec in objects.pod_specs()] == [secrets, secrets]
    assert objects.one("ServiceAccount", "autopack-run")["imagePullSecrets"] == secrets


def test_a_new_chart_version_alone_restarts_nothing(default: Objects) -> None:
    for component in ("operator", "volume"):
        spec = deployment(default, component)["spec"]
        assert spec["template"]["metadata"]["labels"] == spec["selector"]["matchLabels"]


def test_upgrades_leave_the_leaders_lease_alone(default: Objects) -> None:
    lease = default.one("Lease", "autopack-operator-leader")
    assert "spec" not in lease
    assert not {"helm.sh/chart", "app.kubernetes.io/version"} & set(lease["metadata"]["labels"])
