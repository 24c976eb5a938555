"""A wrong environment is refused by the name of the variable, with the fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from autopack_operator.settings import GatewaySettings, Settings, SettingsError

REQUIRED = {
    "AUTOPACK_NAMESPACE": "n",
    "AUTOPACK_CLAIM": "runs",
    "AUTOPACK_IMAGE": "image:1",
    "AUTOPACK_RUN_SERVICE_ACCOUNT": "run",
    "AUTOPACK_VOLUME_URL": "http://volume:8080",
    "AUTOPACK_VOLUME_TOKEN_FILE": "/token",
    "AUTOPACK_LEADER_LEASE": "leader",
    "AUTOPACK_POD_NAME": "pod-1",
}


def test_the_required_variables_are_enough() -> None:
    settings = Settings.from_environment(REQUIRED)
    assert (settings.namespace, settings.identity, settings.workers) == ("n", "pod-1", 16)
    assert settings.volume_token_file == Path("/token")
    assert settings.pods.read_write_once is False
    assert (settings.pods.run_as_user, settings.pods.run_as_group) == (65532, 65532)


@pytest.mark.parametrize("name", sorted(REQUIRED))
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_variable_is_named(name: str, value: str | None) -> None:
    environment = {key: text for key, text in REQUIRED.items() if key != name}
    if value is not None:
        environment[name] = value
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment(environment)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTOPACK_ACCESS_MODE", "ReadOnlyMany"),
        ("AUTOPACK_WORKERS", "0"),
        ("AUTOPACK_WORKERS", "-1"),
        ("AUTOPACK_WORKERS", "many"),
        ("AUTOPACK_WORKERS", "1001"),
        ("AUTOPACK_API_QPS", "-1"),
        ("AUTOPACK_API_QPS", "10001"),
        ("AUTOPACK_RESYNC_SECONDS", "4"),
        ("AUTOPACK_RESYNC_SECONDS", "3601"),
        ("AUTOPACK_RESYNC_SECONDS", "5m"),
        ("AUTOPACK_RUN_AS_USER", "0"),
        ("AUTOPACK_RUN_AS_GROUP", "root"),
        ("AUTOPACK_LOG_LEVEL", "LOUD"),
        ("AUTOPACK_IMAGE_PULL_POLICY", "Sometimes"),
        ("AUTOPACK_VOLUME_SELECTOR", "app"),
        ("AUTOPACK_VOLUME_SELECTOR", "=x"),
        ("AUTOPACK_VOLUME_URL", "volume:8080"),
        ("AUTOPACK_VOLUME_URL", "http://"),
        ("AUTOPACK_HTTP_LISTEN", "8081"),
        ("AUTOPACK_HTTP_LISTEN", "0.0.0.0:http"),
        ("AUTOPACK_HTTP_LISTEN", "0.0.0.0:70000"),
    ],
)
def test_a_wrong_value_is_refused_with_the_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment(REQUIRED | {name: value})


def test_labels_and_access_mode_reach_the_pods() -> None:
    extra = {"AUTOPACK_VOLUME_SELECTOR": "a/b=1,c=2", "AUTOPACK_ACCESS_MODE": "ReadWriteOnce"}
    pods = Settings.from_environment(REQUIRED | extra).pods
    assert (pods.volume_labels, pods.read_write_once) == ({"a/b": "1", "c": "2"}, True)


@pytest.mark.parametrize("listen", ["127.0.0.1:8081", "[::1]:8081", ":8081"])
def test_addresses_to_listen_on(listen: str) -> None:
    assert Settings.from_environment(REQUIRED | {"AUTOPACK_HTTP_LISTEN": listen}).listen == listen


def test_without_an_address_the_registry_is_a_file_of_our_own() -> None:
    registry = Settings.from_environment(REQUIRED | {"AUTOPACK_REGISTRY_DIR": "/r"}).registry
    assert (registry.url.path, registry.folder, registry.installation) == (Path("/r/registry.db"), Path("/r"), "n")


def test_a_bad_address_is_refused_without_being_shown() -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL") as caught:
        Settings.from_environment(REQUIRED | {"DATABASE_URL": "mysql://me:s3cr3t@host/db"})
    assert "s3cr3t" not in str(caught.value)


def test_a_gateway_is_for_the_operator_and_the_pods() -> None:
    with_gateway = REQUIRED | {"AUTOPACK_GATEWAY_URL": "http://gateway:8080/", "AUTOPACK_GATEWAY_TOKEN_FILE": "/token"}
    settings = Settings.from_environment(with_gateway)
    assert settings.gateway == GatewaySettings("http://gateway:8080", Path("/token"))
    assert settings.pods.gateway_url == "http://gateway:8080"
    assert Settings.from_environment(REQUIRED).gateway is None
    with pytest.raises(SettingsError, match="AUTOPACK_GATEWAY_TOKEN_FILE"):
        Settings.from_environment(REQUIRED | {"AUTOPACK_GATEWAY_URL": "http://gateway:8080"})
