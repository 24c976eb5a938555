"""Where the registry is, and who is told."""

from __future__ import annotations

from tests.chart.rendering import Helm, JsonDict, Objects, environment

SECRET = {"registry": {"databaseSecret": "history", "databaseSecretKey": "url"}}


def operator(objects: Objects) -> JsonDict:
    spec: JsonDict = objects.one("Deployment", "autopack-operator")["spec"]["template"]["spec"]
    return spec


def registry_volume(spec: JsonDict) -> JsonDict:
    [found] = [
        {k: v for k, v in volume.items() if k != "name"} for volume in spec["volumes"] if volume["name"] == "registry"
    ]
    return found


def test_by_default_it_is_a_file_on_a_small_claim_of_its_own(default: Objects) -> None:
    spec = operator(default)
    assert registry_volume(spec) == {"persistentVolumeClaim": {"claimName": "autopack-registry"}}
    assert {"name": "registry", "mountPath": "/var/lib/autopack"} in spec["containers"][0]["volumeMounts"]
    claim = default.one("PersistentVolumeClaim", "autopack-registry")
    assert claim["spec"] == {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}


def test_the_address_of_postgres_comes_from_a_secret_and_needs_no_claim(helm: Helm) -> None:
    objects = helm.template(SECRET)
    sources = {
        item["name"]: item["valueFrom"] for item in operator(objects)["containers"][0]["env"] if "valueFrom" in item
    }
    assert sources["DATABASE_URL"] == {"secretKeyRef": {"name": "history", "key": "url"}}
    assert "emptyDir" in registry_volume(operator(objects))
    assert objects.names("PersistentVolumeClaim") == {"autopack-runs"}


def test_a_file_that_may_be_lost_needs_no_claim(helm: Helm) -> None:
    objects = helm.template({"registry": {"persistent": False}})
    assert "emptyDir" in registry_volume(operator(objects))
    assert objects.names("PersistentVolumeClaim") == {"autopack-runs"}


def test_class_and_size_are_the_administrators(helm: Helm) -> None:
    objects = helm.template({"registry": {"size": "5Gi", "storageClassName": "fast"}})
    spec = objects.one("PersistentVolumeClaim", "autopack-registry")["spec"]
    assert (spec["storageClassName"], spec["resources"]) == ("fast", {"requests": {"storage": "5Gi"}})


def test_a_file_on_a_volume_of_one_node_brings_the_operator_to_that_node(helm: Helm) -> None:
    objects = helm.template({"storage": {"accessMode": "ReadWriteOnce"}, "operator": {"replicas": 2}})
    [term] = operator(objects)["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    volume = objects.one("Deployment", "autopack-volume")["spec"]["template"]["metadata"]["labels"]
    assert (term["topologyKey"], term["labelSelector"]["matchLabels"]) == ("kubernetes.io/hostname", volume)


def test_an_installation_is_known_by_its_namespace_or_by_the_name_that_it_is_given(helm: Helm) -> None:
    names = [
        environment(operator(helm.template(values))["containers"][0])["AUTOPACK_INSTALLATION"]
        for values in ({}, {"registry": {"installation": "west/agents"}})
    ]
    assert names == ["agents", "west/agents"]
