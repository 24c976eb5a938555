"""What a run's pod has to reach models with: a relay and a token, and never a key."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.unit.autopack_operator.builders import PROFILE, SETTINGS
from tests.unit.autopack_operator.domain.test_pod import make
from tests.unit.autopack_operator.domain.test_pod_profile import container, mounts, profile, variables, volume

from autopack_operator.domain.api.profile import RunProfileSpec

WITH_GATEWAY = replace(SETTINGS, gateway_url="http://autopack-gateway.lab.svc:8080")
PROVIDERS = [
    {"name": "claude", "api": "anthropic"},
    {"name": "other", "api": "anthropic"},
    {"name": "gpt", "api": "openai-compatible"},
]


def made(profile_: RunProfileSpec) -> dict[str, Any]:
    return make(profile=profile_, settings=WITH_GATEWAY)


def test_the_command_finds_the_relay_instead_of_the_providers() -> None:
    env = variables(made(profile(providers=PROVIDERS)))
    assert env["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:18734/claude"
    assert env["OPENAI_BASE_URL"] == env["OPENAI_API_BASE"] == "http://127.0.0.1:18734/gpt/v1"
    assert env["AUTOPACK_GATEWAY_URL"] == "http://127.0.0.1:18734"
    assert {env[f"{name}_API_KEY"] for name in ("ANTHROPIC", "OPENAI", "CODEX")} == {"autopack-gateway"}


def test_an_administrator_may_say_otherwise() -> None:
    env = variables(made(profile(providers=PROVIDERS, env=[{"name": "ANTHROPIC_BASE_URL", "value": "http://own"}])))
    assert env["ANTHROPIC_BASE_URL"] == "http://own"


def test_only_the_commands_container_has_the_token_which_is_good_for_the_gateway_alone() -> None:
    pod = made(profile(providers=PROVIDERS))
    (source,) = volume(pod, "gateway-token")["projected"]["sources"]
    assert source == {
        "serviceAccountToken": {"path": "token", "audience": "autopack-gateway", "expirationSeconds": 3600}
    }
    assert mounts(pod, "run", "gateway-token") == [
        {"name": "gateway-token", "mountPath": "/autopack-gateway", "readOnly": True}
    ]
    assert not mounts(pod, "workspace", "gateway-token") + mounts(pod, "keeper", "gateway-token")


def test_the_entrypoint_relays() -> None:
    words = container(made(profile(providers=PROVIDERS)), "run")["command"]
    at = words.index("--relay-listen")
    assert words[at : at + 6] == [
        "--relay-listen",
        "127.0.0.1:18734",
        "--relay-to",
        "http://autopack-gateway.lab.svc:8080",
        "--relay-token",
        "/autopack-gateway/token",
    ]


def test_without_a_provider_or_a_gateway_there_is_no_relay() -> None:
    for pod in (made(PROFILE), make(profile=profile(providers=PROVIDERS))):
        assert "gateway" not in str(pod)
