"""What bounds runs: the default profile, the network, the policy on their pods."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
import yaml

from autopack_operator.domain.api.profile import RunProfileSpec
from tests.chart.admission_cases import FULL_PROFILE as OFFERED
from tests.chart.rendering import CHART, ChartRefusedError, Helm, JsonDict, Objects

RUN_LABELS = {"app.kubernetes.io/managed-by": "autopack-operator", "app.kubernetes.io/component": "run"}


POLICY = "autopack.agents.pods.autopack.dev"


def profile(objects: Objects) -> JsonDict:
    spec: JsonDict = objects.one("RunProfile", "default")["spec"]
    return spec


def egress(objects: Objects) -> Any:
    return objects.one("NetworkPolicy", "autopack-run")["spec"]["egress"]


def test_default_profile_runs_our_own_image(default: Objects) -> None:
    assert profile(default) == {
        "defaultImage": "autopack-operator:0.1.0",
        "allowedImages": [],
        "imagePullPolicy": "IfNotPresent",
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
    }


FULL_PROFILE = OFFERED | {
    "defaultImage": "agent:1",
    "allowedImages": ["registry.example.com/*"],
    "imagePullPolicy": "Always",
    "resources": {"requests": {"cpu": "2", "memory": "2Gi"}, "limits": {"memory": "2Gi", "nvidia.com/gpu": "1"}},
    "priorityClassName": "batch",
    "runtimeClassName": "gvisor",
    "maxTimeoutSeconds": 600,
    "diskQuota": "2Gi",
    "database": {"secretName": "postgres", "key": "dsn"},
}


def test_default_profile_is_the_administrators(helm: Helm) -> None:
    gateway = {"enabled": True, "providers": [{"name": "claude", "api": "anthropic", "upstream": "https://models"}]}
    assert profile(helm.template({"defaultProfile": FULL_PROFILE, "gateway": gateway})) == FULL_PROFILE


WITH_AGENTS = {"agents": {"image": "agents:1", "keysSecret": "model-keys"}}


@pytest.mark.parametrize("values", [{}, {"defaultProfile": FULL_PROFILE}, WITH_AGENTS])
def test_default_profile_fits_its_definition(helm: Helm, values: dict[str, Any]) -> None:
    definition = yaml.safe_load((CHART / "crds" / "runprofiles.yaml").read_text())
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    rendered = profile(helm.template(values))
    jsonschema.validate(rendered, schema)
    assert set(rendered) <= set(schema["properties"])


PRESETS = {"claude-code", "codex", "opencode", "aider", "mini-swe-agent"}


def agents(objects: Objects) -> dict[str, JsonDict]:
    return {agent["name"]: agent for agent in profile(objects).get("agents", [])}


def test_the_default_profile_offers_the_agents_once_they_have_an_image(helm: Helm) -> None:
    offered = agents(helm.template({"agents": {"image": "agents:1"}}))
    assert set(offered) == PRESETS
    assert {agent["image"] for agent in offered.values()} == {"agents:1"}
    assert not any("valueFrom" in variable for agent in offered.values() for variable in agent.get("env", []))


def test_their_keys_come_from_one_secret_which_the_policy_then_allows(helm: Helm) -> None:
    objects = helm.template(WITH_AGENTS)
    bound = {name: [each for each in agent["env"] if "valueFrom" in each] for name, agent in agents(objects).items()}
    key = {"secretKeyRef": {"name": "model-keys", "key": "OPENAI_API_KEY"}}
    assert bound["codex"] == [{"name": "CODEX_API_KEY", "valueFrom": key}]
    assert all(len(each) == 1 for each in bound.values())
    policy = objects.one("ValidatingAdmissionPolicy", POLICY)
    [others] = [each for each in policy["spec"]["variables"] if each["name"] == "otherSecrets"]
    assert "n == 'model-keys'" in others["expression"]


def test_presets_can_be_changed_and_taken_away_and_others_added(helm: Helm) -> None:
    own = {"name": "own", "command": ["own", "{prompt}"], "image": "own:1"}
    presets = {"codex": None, "aider": {"image": "aider:2", "models": ["lab/*"]}}
    objects = helm.template({"agents": {"presets": presets}, "defaultProfile": {"agents": [own]}})
    offered = agents(objects)
    assert set(offered) == {"aider", "own"}
    assert (offered["aider"]["image"], offered["aider"]["models"], offered["own"]) == ("aider:2", ["lab/*"], own)


@pytest.mark.parametrize("keys", [{}, {"keysSecret": "model-keys"}])
def test_the_presets_are_agents_that_the_operator_can_start(helm: Helm, keys: JsonDict) -> None:
    spec = RunProfileSpec.model_validate(profile(helm.template({"agents": {"image": "agents:1"} | keys})))
    for agent in spec.agents:
        assert agent.model_args[-1] == "{model}"
        assert agent.name == "aider" or agent.output != "text"
    takers = {agent.name: (agent.takes_an_argument, agent.reads_a_file) for agent in spec.agents}
    assert takers == {name: (name == "mini-swe-agent", name == "aider") for name in PRESETS}


def test_no_default_profile_when_the_administrator_makes_their_own(helm: Helm) -> None:
    assert helm.template({"defaultProfile": {"enabled": False}}).all("RunProfile") == []


def test_only_the_operator_reaches_the_volume_service(default: Objects) -> None:
    spec = default.one("NetworkPolicy", "autopack-volume")["spec"]
    operator = default.one("Deployment", "autopack-operator")["spec"]["template"]["metadata"]["labels"]
    volume = default.one("Deployment", "autopack-volume")["spec"]["template"]["metadata"]["labels"]
    assert spec["podSelector"]["matchLabels"] == volume
    assert spec["ingress"] == [
        {"from": [{"podSelector": {"matchLabels": operator}}], "ports": [{"port": 8080, "protocol": "TCP"}]}
    ]


@pytest.mark.parametrize("name", ["autopack-run", "autopack-operator"])
def test_nobody_reaches_runs_or_the_operator(default: Objects, name: str) -> None:
    spec = default.one("NetworkPolicy", name)["spec"]
    assert "Ingress" in spec["policyTypes"]
    assert spec["ingress"] == []


def test_the_runs_policy_selects_the_operators_pods(default: Objects) -> None:
    assert default.one("NetworkPolicy", "autopack-run")["spec"]["podSelector"] == {"matchLabels": RUN_LABELS}


def test_runs_do_not_reach_the_clouds_metadata_service(default: Objects) -> None:
    blocks = [peer["ipBlock"] for rule in egress(default) for peer in rule.get("to", []) if "ipBlock" in peer]
    assert {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]} in blocks


@pytest.mark.parametrize("rules", [[], [{}], [{"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}]])
def test_what_runs_reach_is_the_administrators(helm: Helm, rules: list[JsonDict]) -> None:
    assert egress(helm.template({"networkPolicy": {"runEgress": rules}})) == rules


@pytest.mark.parametrize(("name", "port"), [("autopack-operator", 8081), ("autopack-volume", 8080)])
def test_metrics_are_read_by_whom_the_administrator_names(helm: Helm, name: str, port: int) -> None:
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    objects = helm.template({"networkPolicy": {"metricsFrom": [peer]}})
    [rule] = objects.one("NetworkPolicy", name)["spec"]["ingress"]
    assert peer in rule["from"]
    assert rule["ports"] == [{"port": port, "protocol": "TCP"}]


def test_network_policies_can_be_left_out(helm: Helm) -> None:
    assert helm.template({"networkPolicy": {"enabled": False}}).all("NetworkPolicy") == []


def test_the_admission_policy_binds_the_operator_in_its_namespace_only(default: Objects) -> None:
    spec = default.one("ValidatingAdmissionPolicy", POLICY)["spec"]
    assert spec["matchConstraints"]["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "agents"}}
    assert [item["expression"] for item in spec["matchConditions"]] == [
        "request.userInfo.username == 'system:serviceaccount:agents:autopack-operator'"
    ]
    assert spec["failurePolicy"] == "Fail"


def test_the_admission_policy_is_in_force(default: Objects) -> None:
    policies, bindings = default.names("ValidatingAdmissionPolicy"), default.all("ValidatingAdmissionPolicyBinding")
    assert POLICY in policies
    assert {binding["spec"]["policyName"] for binding in bindings} == policies
    assert all(binding["spec"]["validationActions"] == ["Deny"] for binding in bindings)


def test_the_admission_policy_can_be_left_out(helm: Helm) -> None:
    objects = helm.template({"admissionPolicy": {"enabled": False}})
    assert not objects.all("ValidatingAdmissionPolicy") + objects.all("ValidatingAdmissionPolicyBinding")


def test_an_older_cluster_is_told_what_is_needed(helm: Helm) -> None:
    with pytest.raises(ChartRefusedError, match=r"requires kubeVersion: >=1\.30\.0"):
        helm.template(kubernetes="1.29.0")


def secrets_allowed(objects: Objects) -> str:
    """What the policy says of a Secret called `n`."""
    policy = objects.one("ValidatingAdmissionPolicy", POLICY)
    [variable] = [item for item in policy["spec"]["variables"] if item["name"] == "otherSecrets"]
    tests: set[str] = set(re.findall(r"filter\(n, !\((.*?)\)\)\.join", variable["expression"]))
    assert len(tests) == 1, "what holds for variables holds for files"
    return tests.pop()


def test_no_secret_is_allowed_that_nobody_named(default: Objects) -> None:
    assert secrets_allowed(default) == "false"


def test_secrets_are_allowed_that_the_administrator_or_the_default_profile_names(helm: Helm) -> None:
    by_key = {"secretKeyRef": {"name": "in-profile", "key": "k"}}
    profile = {"env": [{"name": "A", "valueFrom": by_key}], "database": {"secretName": "db"}}
    values = {"admissionPolicy": {"allowedSecrets": ["mine", "team-*"]}, "defaultProfile": profile}
    named = "n == 'db' || n == 'in-profile' || n == 'mine' || n.startsWith('team-')"
    assert secrets_allowed(helm.template(values)) == named
    values["defaultProfile"] = profile | {"enabled": False}
    assert secrets_allowed(helm.template(values)) == "n == 'mine' || n.startsWith('team-')"
