"""What the gateway is told, who leads, and which headers pass."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from autopack.errors import InvalidInput
from autopack_gateway.service.http.headers import towards_agent, towards_upstream
from autopack_gateway.service.leadership.claim import may_take, seen, taken
from autopack_gateway.service.providers import KeyMissingError, parse
from autopack_gateway.service.settings import LeaseName, Settings

AT = datetime(2027, 1, 1, tzinfo=UTC)
PROVIDER = {"name": "claude", "api": "anthropic", "upstream": "https://api.example"}


def test_no_key_and_nothing_of_the_connection_passes() -> None:
    sent = {
        "Authorization": "Bearer mine",
        "X-Api-Key": "mine",
        "Cookie": "a",
        "Host": "gateway",
        "Connection": "keep-alive, X-Odd",
        "X-Odd": "1",
        "Accept-Encoding": "zstd",
        "anthropic-version": "2023-06-01",
        "Content-Type": "application/json",
    }
    assert towards_upstream(sent, {"x-api-key": "key"}) == {
        "anthropic-version": "2023-06-01",
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
        "x-api-key": "key",
    }
    told = {"Content-Type": "text/event-stream", "Set-Cookie": "a", "Transfer-Encoding": "chunked", "request-id": "r"}
    assert towards_agent(told) == {"Content-Type": "text/event-stream", "request-id": "r"}


def test_a_claim_is_taken_over_only_when_it_was_not_renewed_for_as_long_as_it_counts() -> None:
    spec = taken({}, "one", AT)
    assert spec["leaseTransitions"] == 1
    claim = seen(None, spec, 100.0)
    assert may_take(claim, "one", 100.0)
    assert not may_take(claim, "two", 115.0)
    assert may_take(claim, "two", 115.1)
    renewed = seen(claim, {**spec, "renewTime": "later"}, 114.0)
    assert not may_take(renewed, "two", 120.0)
    assert seen(renewed, renewed.spec, 118.0) is renewed
    assert taken(spec, "one", AT)["leaseTransitions"] == 1
    assert taken(spec, "two", AT)["leaseTransitions"] == 2
    assert may_take(seen(None, {**spec, "holderIdentity": ""}, 0.0), "two", 0.0)


def test_providers_with_prices_and_a_key(tmp_path: Path) -> None:
    key = tmp_path / "key"
    prices = [{"model": "m*", "inputPerMTok": "3", "outputPerMTok": 15, "cachedPerMTok": "0.3"}]
    declared = {**PROVIDER, "keyFile": str(key), "models": ["m*"], "prices": prices, "concurrency": 5}
    (provider,) = parse(json.dumps({"providers": [declared]}).encode()).values()
    assert provider.concurrency == 5
    assert provider.has("m1")
    assert not provider.has("n")
    assert str(provider.prices[0].cached) == "0.3"
    with pytest.raises(KeyMissingError):
        provider.credentials()
    key.write_text(" sk-1\n")
    assert provider.credentials() == {"x-api-key": "sk-1"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "Not A Name"}, "providers.0.name"),
        ({"api": "smoke"}, "providers.0.api"),
        ({"upstream": "https://user:word@host"}, "providers.0.upstream"),
        ({"upstream": "ftp://host"}, "providers.0.upstream"),
        ({"concurrency": 0}, "providers.0.concurrency"),
        ({"prices": [{"model": "m", "inputPerMTok": "-1", "outputPerMTok": "1"}]}, "providers.0.prices.0.inputPerMTok"),
        ({"secret": "sk"}, "providers.0.secret"),
    ],
)
def test_a_wrong_declaration_names_its_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as error:
        parse(json.dumps({"providers": [{**PROVIDER, **change}]}).encode())
    assert error.value.field == field


def test_two_providers_of_one_name() -> None:
    with pytest.raises(InvalidInput, match="same name"):
        parse(json.dumps({"providers": [PROVIDER, PROVIDER]}).encode())


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    declared = tmp_path / "providers.json"
    declared.write_text(json.dumps({"providers": [PROVIDER]}))
    return {
        "AUTONOMOUS_RUNS_DIR": str(tmp_path),
        "AUTOPACK_ALLOWED_CALLERS": "system:serviceaccount:autopack:operator",
        "AUTOPACK_GATEWAY_PROVIDERS": str(declared),
        "AUTOPACK_LEASE": "autopack-gateway",
        "AUTOPACK_NAMESPACE": "autopack",
        "AUTOPACK_POD_NAME": "gateway-1",
    }


def test_settings(environment: dict[str, str], tmp_path: Path) -> None:
    settings = Settings.from_environment({**environment, "AUTOPACK_DRAIN_SECONDS": "5"})
    assert settings.folder == tmp_path / ".gateway"
    assert settings.lease == LeaseName("autopack", "autopack-gateway", "gateway-1")
    assert settings.limits.drain == 5
    assert list(settings.providers) == ["claude"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AUTOPACK_ALLOWED_CALLERS", " , "),
        ("AUTONOMOUS_RUNS_DIR", "nowhere"),
        ("AUTOPACK_GATEWAY_PROVIDERS", "/nowhere"),
        ("AUTOPACK_LISTEN", "8080"),
        ("AUTOPACK_POD_NAME", ""),
        ("AUTOPACK_DRAIN_SECONDS", "-1"),
    ],
)
def test_a_wrong_variable_is_named(environment: dict[str, str], variable: str, value: str) -> None:
    with pytest.raises(InvalidInput) as error:
        Settings.from_environment({**environment, variable: value})
    assert error.value.field == variable
