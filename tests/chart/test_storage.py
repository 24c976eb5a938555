"""The claim, in its modes, and who may write to it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chart.pod_security import violations
from tests.chart.rendering import Helm, JsonDict, Objects, environment


def volume_pod(objects: Objects) -> JsonDict:
    spec: JsonDict = objects.one("Deployment", "autopack-volume")["spec"]["template"]["spec"]
    return spec


def mounting(objects: Objects, claim: str) -> list[str]:
    volume = {"claimName": claim}
    return [
        name
        for name, spec in objects.pod_specs()
        if any(each.get("persistentVolumeClaim") == volume for each in spec["volumes"])
    ]


def operator_env(objects: Objects) -> dict[str, str]:
    return environment(objects.one("Deployment", "autopack-operator")["spec"]["template"]["spec"]["containers"][0])


def runs_claim(objects: Objects) -> JsonDict:
    return objects.one("PersistentVolumeClaim", "autopack-runs")


@pytest.mark.parametrize("name", ["autopack-runs", "autopack-registry"])
def test_claims_are_kept_on_uninstall(default: Objects, name: str) -> None:
    claim = default.one("PersistentVolumeClaim", name)
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_the_claim_is_shared_and_of_the_default_class(default: Objects) -> None:
    claim = runs_claim(default)
    assert claim["spec"] == {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "20Gi"}}}


def test_size_and_class_are_the_administrators(helm: Helm) -> None:
    storage = {"size": "1Ti", "storageClassName": "nfs"}
    claim = runs_claim(helm.template({"storage": storage}))
    assert claim["spec"]["storageClassName"] == "nfs"
    assert claim["spec"]["resources"]["requests"]["storage"] == "1Ti"


def test_one_node_mode_is_told_to_the_operator(helm: Helm) -> None:
    objects = helm.template({"storage": {"accessMode": "ReadWriteOnce"}})
    claims = objects.all("PersistentVolumeClaim")
    assert [claim["spec"]["accessModes"] for claim in claims] == [["ReadWriteOnce"]] * 2
    assert operator_env(objects)["AUTOPACK_ACCESS_MODE"] == "ReadWriteOnce"


def test_an_existing_claim_is_used_everywhere_and_none_is_made(helm: Helm) -> None:
    objects = helm.template({"storage": {"existingClaim": "ours"}})
    assert objects.names("PersistentVolumeClaim") == {"autopack-registry"}
    assert operator_env(objects)["AUTOPACK_CLAIM"] == "ours"
    assert {"name": "runs", "persistentVolumeClaim": {"claimName": "ours"}} in volume_pod(objects)["volumes"]


def test_only_the_volume_service_mounts_the_claim(default: Objects) -> None:
    assert mounting(default, "autopack-runs") == ["autopack-volume"]
    assert {"name": "runs", "mountPath": "/autopack"} in volume_pod(default)["containers"][0]["volumeMounts"]


@pytest.mark.parametrize("values", [{}, {"storage": {"accessMode": "ReadWriteOnce"}}])
def test_nothing_is_root_by_default(helm: Helm, values: dict[str, Any]) -> None:
    assert "initContainers" not in volume_pod(helm.template(values))


def test_chown_is_the_one_exception_and_touches_the_root_only(helm: Helm) -> None:
    spec = volume_pod(helm.template({"storage": {"chown": True}}))
    [init] = spec["initContainers"]
    assert init["command"][-1] == "/autopack"
    assert not {"-R", "--recursive"} & set(init["command"])
    assert violations(spec) == ["chown: runAsNonRoot", "chown: runAsUser", "chown: capabilities.add"]
