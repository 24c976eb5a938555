"""The model gateway: it alone mounts the providers' keys, and with it runs reach hardly anything else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.chart.rendering import ChartRefusedError, Helm, JsonDict, Objects, environment

CLAUDE: JsonDict = {
    "name": "claude",
    "api": "anthropic",
    "upstream": "https://api.anthropic.com",
    "secretName": "model-keys",
    "key": "ANTHROPIC_API_KEY",
    "models": ["claude-*"],
    "prices": [{"model": "claude-*", "inputPerMTok": "3", "outputPerMTok": "15", "cachedPerMTok": "0.30"}],
    "concurrency": 30,
}
LOCAL: JsonDict = {"name": "local", "api": "openai-compatible", "upstream": "http://vllm.models:8000"}
VALUES: dict[str, Any] = {
    "gateway": {"enabled": True, "providers": [CLAUDE, LOCAL]},
    "agents": {"image": "example.org/agents:1", "keysSecret": "model-keys"},
}


@pytest.fixture(scope="module")
def rendered(helm: Helm) -> Objects:
    return helm.template(VALUES)


def agents(objects: Objects) -> dict[str, JsonDict]:
    return {agent["name"]: agent for agent in objects.one("RunProfile", "default")["spec"]["agents"]}


def test_it_is_off_by_default(default: Objects) -> None:
    assert "gateway" not in json.dumps([item for item in default if item["kind"] != "CustomResourceDefinition"])


def test_it_alone_mounts_the_providers_keys(rendered: Objects) -> None:
    holding = [name for name, spec in rendered.pod_specs() if "model-keys" in json.dumps(spec)]
    assert holding == ["autopack-gateway"]
    # No agent of the profile is given one either.
    assert "model-keys" not in json.dumps(rendered.one("RunProfile", "default"))


def test_the_key_lies_where_the_providers_file_says(rendered: Objects) -> None:
    declared = json.loads(rendered.one("ConfigMap", "autopack-gateway")["data"]["providers.json"])
    claude, local = declared["providers"]
    assert claude == {key: value for key, value in CLAUDE.items() if key not in {"secretName", "key"}} | {
        "keyFile": "/autopack-gateway/keys/claude"
    }
    assert local == LOCAL
    pod = rendered.one("Deployment", "autopack-gateway")["spec"]["template"]["spec"]
    [providers] = [volume["projected"]["sources"] for volume in pod["volumes"] if volume["name"] == "providers"]
    [secret] = [source["secret"] for source in providers if "secret" in source]
    assert secret["items"] == [{"key": "ANTHROPIC_API_KEY", "path": "keys/claude"}]
    assert environment(pod["containers"][0])["AUTOPACK_GATEWAY_PROVIDERS"] == "/autopack-gateway/providers.json"


def test_it_sees_its_journal_alone_of_the_volume(rendered: Objects) -> None:
    [container] = rendered.one("Deployment", "autopack-gateway")["spec"]["template"]["spec"]["containers"]
    [runs] = [mount for mount in container["volumeMounts"] if mount["name"] == "runs"]
    assert runs == {"name": "runs", "mountPath": "/autopack/.gateway", "subPath": ".gateway"}


def test_its_account_may_hold_its_own_lease_and_nothing_else(rendered: Objects) -> None:
    assert rendered.one("Role", "autopack-gateway")["rules"] == [
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "resourceNames": ["autopack-gateway"],
            "verbs": ["get", "update"],
        }
    ]
    assert "autopack-gateway" in rendered.names("Lease")


def test_the_operator_knows_where_it_is_and_may_call_it(rendered: Objects) -> None:
    operator = rendered.one("Deployment", "autopack-operator")["spec"]["template"]["spec"]
    env = environment(operator["containers"][0])
    assert env["AUTOPACK_GATEWAY_URL"] == "http://autopack-gateway.agents.svc:8080"
    [token] = [volume["projected"] for volume in operator["volumes"] if volume["name"] == "gateway-token"]
    assert token["sources"][0]["serviceAccountToken"]["audience"] == "autopack-gateway"
    gateway = rendered.one("Deployment", "autopack-gateway")["spec"]["template"]["spec"]["containers"][0]
    assert environment(gateway)["AUTOPACK_ALLOWED_CALLERS"] == "system:serviceaccount:agents:autopack-operator"


def test_runs_reach_names_models_and_what_is_listed(helm: Helm) -> None:
    listed = {"to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}]}
    objects = helm.template({"gateway": VALUES["gateway"] | {"runEgress": [listed]}})
    names, models, last = objects.one("NetworkPolicy", "autopack-run")["spec"]["egress"]
    assert {port["port"] for port in names["ports"]} == {53}
    assert models["to"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "gateway"
    assert last == listed


def test_the_default_profile_has_all_providers_and_agents_that_find_them(rendered: Objects) -> None:
    assert rendered.one("RunProfile", "default")["spec"]["providers"] == [
        {"name": "claude", "api": "anthropic", "models": ["claude-*"]},
        {"name": "local", "api": "openai-compatible"},
    ]
    known = agents(rendered)
    assert {"name": "ANTHROPIC_API_KEY", "value": "autopack-gateway"} in known["claude-code"]["env"]
    assert known["codex"]["command"][-2:] == ["-c", 'openai_base_url="http://127.0.0.1:18734/local/v1"']
    [settings] = [var["value"] for var in known["opencode"]["env"] if var["name"] == "OPENCODE_CONFIG_CONTENT"]
    assert json.loads(settings)["provider"]["anthropic"]["options"]["baseURL"] == "http://127.0.0.1:18734/claude/v1"


def test_a_profile_may_have_fewer_and_a_budget(helm: Helm) -> None:
    chosen = {"providers": [{"name": "local", "api": "openai-compatible"}], "budget": {"window": "Day", "usd": "20"}}
    spec = helm.template(VALUES | {"defaultProfile": chosen}).one("RunProfile", "default")["spec"]
    assert (spec["providers"], spec["budget"]) == (
        chosen["providers"],
        {"timezone": "UTC", "window": "Day", "usd": "20"},
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"api": "magic"}, "api"),
        ({"upstream": "api.anthropic.com"}, "upstream"),
        ({"token": "x"}, "token"),
        ({"prices": [{"model": "m", "inputPerMTok": 3, "outputPerMTok": "1"}]}, "inputPerMTok"),
    ],
)
def test_what_is_wrong_is_refused(helm: Helm, wrong: JsonDict, said: str) -> None:
    with pytest.raises(ChartRefusedError, match=said):
        helm.template({"gateway": {"enabled": True, "providers": [CLAUDE | wrong]}})
