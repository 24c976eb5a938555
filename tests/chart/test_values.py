"""values.yaml and values.schema.json: they know the same values, and bad ones are refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from scripts.generate_chart_docs import UndocumentedValueError, documented_values, schema_at

from tests.chart.rendering import CHART, ChartRefusedError, Helm

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALUES = (CHART / "values.yaml").read_text()


def schema_paths(part: dict[str, Any], prefix: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Every path that the schema spells out, short of what it refers to."""
    if "properties" not in part:
        return {prefix}
    return {path for name, child in part["properties"].items() for path in schema_paths(child, (*prefix, name))}


def test_schema_and_values_know_the_same_values() -> None:
    """`global` is Helm's own."""
    assert schema_paths(SCHEMA) - {("global",)} == {value.path for value in documented_values(VALUES)}


def test_unknown_values_are_refused_at_every_level() -> None:
    def open_objects(part: dict[str, Any], path: str) -> list[str]:
        children = part.get("properties", {})
        found = [path] if children and part.get("additionalProperties") is not False else []
        return found + [item for name, child in children.items() for item in open_objects(child, f"{path}.{name}")]

    definitions = [item for name, part in SCHEMA["definitions"].items() for item in open_objects(part, name)]
    assert open_objects(SCHEMA, "") + definitions == []


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"replicas": 2}, "'replicas' not allowed"),
        ({"operator": {"replica": 2}}, "'/operator'"),
        ({"operator": {"replicas": 0}}, "'/operator/replicas'"),
        ({"operator": {"workers": "16"}}, "'/operator/workers'"),
        ({"operator": {"logLevel": "verbose"}}, "'/operator/logLevel'"),
        ({"operator": {"resources": {"limits": {"memory": "1GB"}}}}, "'/operator/resources/limits/memory'"),
        ({"operator": {"nodeSelector": {"gpu": True}}}, "'/operator/nodeSelector/gpu'"),
        ({"operator": {"extraEnv": [{"name": "A B"}]}}, "'/operator/extraEnv/0/name'"),
        ({"volume": {"replicas": 2}}, "'/volume'"),
        ({"volume": {"allowedProtocols": ["file"]}}, "'/volume/allowedProtocols/0'"),
        ({"volume": {"allowedProtocols": []}}, "'/volume/allowedProtocols'"),
        ({"image": {"tag": 1.0}}, "'/image/tag'"),
        ({"image": {"repository": "autopack:v1"}}, "'/image/repository'"),
        ({"image": {"digest": "sha256:abc"}}, "'/image/digest'"),
        ({"image": {"pullPolicy": "Sometimes"}}, "'/image/pullPolicy'"),
        ({"imagePullSecrets": ["registry"]}, "'/imagePullSecrets/0'"),
        ({"storage": {"accessMode": "ReadWriteOncePod"}}, "'/storage/accessMode'"),
        ({"storage": {"size": "big"}}, "'/storage/size'"),
        ({"storage": {"existingClaim": "Not_A_Name"}}, "'/storage/existingClaim'"),
        ({"storage": {"chown": "yes"}}, "'/storage/chown'"),
        ({"defaultProfile": {"maxTimeoutSeconds": -1}}, "'/defaultProfile/maxTimeoutSeconds'"),
        ({"defaultProfile": {"env": [{"name": "A"}]}}, "'/defaultProfile/env/0'"),
        (
            {"defaultProfile": {"env": [{"name": "A", "valueFrom": {"fieldRef": {}}}]}},
            "'/defaultProfile/env/0/valueFrom'",
        ),
        ({"defaultProfile": {"files": [{"path": "x", "secretKeyRef": {}}]}}, "'/defaultProfile/files/0/path'"),
        ({"admissionPolicy": {"allowedSecrets": ["a'||true"]}}, "'/admissionPolicy/allowedSecrets/0'"),
        ({"defaultProfile": {"database": {"secretName": "a'||true"}}}, "'/defaultProfile/database/secretName'"),
        ({"podSecurity": {"runAsUser": 0}}, "'/podSecurity/runAsUser'"),
        ({"agents": {"presets": {"mine": {"command": ["x"]}}}}, "'/agents/presets'"),
        ({"agents": {"presets": {"codex": {"commands": ["x"]}}}}, "'/agents/presets/codex'"),
        ({"agents": {"keysSecret": "Not A Name"}}, "'/agents/keysSecret'"),
        ({"defaultProfile": {"agents": [{"command": ["x"]}]}}, "'/defaultProfile/agents/0'"),
        ({"networkPolicy": {"runEgress": {}}}, "'/networkPolicy/runEgress'"),
        ({"metrics": {"podMonitor": {"interval": "often"}}}, "'/metrics/podMonitor/interval'"),
        ({"fullnameOverride": "a.b"}, "'/fullnameOverride'"),
    ],
)
def test_bad_values_are_refused_by_name(helm: Helm, values: dict[str, Any], place: str) -> None:
    with pytest.raises(ChartRefusedError) as refused:
        helm.template(values)
    assert place in str(refused.value)


def test_a_parent_chart_may_set_globals(helm: Helm) -> None:
    assert helm.template({"global": {"anything": 1}}).all("Deployment")


def test_a_value_without_a_comment_is_not_documented_silently() -> None:
    with pytest.raises(UndocumentedValueError, match=r"storage\.size"):
        list(documented_values("storage:\n  size: 20Gi\n"))


def test_a_comment_of_two_lines_is_one_description() -> None:
    [value] = documented_values("a:\n  # One\n  # two.\n  b: {c: 1}\n")
    assert (value.path, value.default, value.description) == (("a", "b"), {"c": 1}, "One two.")


def test_references_in_the_schema_are_followed() -> None:
    assert schema_at(SCHEMA, ("image", "pullPolicy"))["enum"] == ["Always", "IfNotPresent", "Never"]
