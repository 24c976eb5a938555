"""Settings of the process, from its environment. The chart sets them; docs/chart.md says how."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autopack.errors import InvalidInput
from autopack.registry.urls import DatabaseUrl, check_database_url, sqlite_url
from autopack_operator.domain.pod.settings import NOBODY_ELSE, PodSettings

_NOT_ROOT = range(1, 1 << 31)
_LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR"})
_MODES = frozenset({"ReadWriteMany", "ReadWriteOnce"})
_PULL_POLICIES = frozenset({"Always", "IfNotPresent", "Never"})


class SettingsError(ValueError):
    """A variable is missing or wrong; the message names it and the fix."""


@dataclass(frozen=True)
class RegistrySettings:
    """Where the registry is. `folder` keeps what waits for the database, and the database where none is named."""

    url: DatabaseUrl
    folder: Path
    installation: str


@dataclass(frozen=True)
class GatewaySettings:
    """Where the model gateway is, and the token by which the operator proves itself there."""

    url: str
    token_file: Path


@dataclass(frozen=True)
class Settings:
    """See `from_environment` for the variables."""

    namespace: str
    pods: PodSettings
    volume_url: str
    volume_token_file: Path
    publisher_url: str
    publisher_token_file: Path
    dashboard_url: str
    leader_lease: str
    identity: str
    workers: int
    api_qps: int
    resync_seconds: int
    log_level: str
    listen: str
    registry: RegistrySettings
    gateway: GatewaySettings | None = None

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> Settings:
        """Read the AUTOPACK_* variables. Raises SettingsError."""
        mode = _one_of(env, "AUTOPACK_ACCESS_MODE", _MODES, "ReadWriteMany")
        gateway = gateway_settings(env)
        return cls(
            namespace=_required(env, "AUTOPACK_NAMESPACE"),
            pods=PodSettings(
                claim=_required(env, "AUTOPACK_CLAIM"),
                image=_required(env, "AUTOPACK_IMAGE"),
                image_pull_policy=_one_of(env, "AUTOPACK_IMAGE_PULL_POLICY", _PULL_POLICIES, "IfNotPresent"),
                service_account=_required(env, "AUTOPACK_RUN_SERVICE_ACCOUNT"),
                read_write_once=mode == "ReadWriteOnce",
                volume_labels=_labels(env.get("AUTOPACK_VOLUME_SELECTOR", "")),
                snapshot_seconds=_number(env, "AUTOPACK_SNAPSHOT_SECONDS", 10, range(1, 1001)),
                run_as_user=_number(env, "AUTOPACK_RUN_AS_USER", NOBODY_ELSE, _NOT_ROOT),
                run_as_group=_number(env, "AUTOPACK_RUN_AS_GROUP", NOBODY_ELSE, _NOT_ROOT),
                gateway_url=gateway.url if gateway is not None else "",
            ),
            volume_url=_url(env, "AUTOPACK_VOLUME_URL"),
            volume_token_file=Path(_required(env, "AUTOPACK_VOLUME_TOKEN_FILE")),
            publisher_url=_url(env, "AUTOPACK_PUBLISHER_URL") if env.get("AUTOPACK_PUBLISHER_URL") else "",
            publisher_token_file=Path(env.get("AUTOPACK_PUBLISHER_TOKEN_FILE", "")),
            dashboard_url=env.get("AUTOPACK_DASHBOARD_URL", "").rstrip("/"),
            leader_lease=_required(env, "AUTOPACK_LEADER_LEASE"),
            identity=_required(env, "AUTOPACK_POD_NAME"),
            workers=_number(env, "AUTOPACK_WORKERS", 16, range(1, 1001)),
            api_qps=_number(env, "AUTOPACK_API_QPS", 0, range(10_001)),
            resync_seconds=_number(env, "AUTOPACK_RESYNC_SECONDS", 300, range(5, 3601)),
            log_level=_one_of(env, "AUTOPACK_LOG_LEVEL", _LEVELS, "INFO"),
            listen=_address(env, "AUTOPACK_HTTP_LISTEN", "0.0.0.0:8081"),
            registry=registry_settings(env),
            gateway=gateway,
        )


def gateway_settings(env: Mapping[str, str]) -> GatewaySettings | None:
    """Read AUTOPACK_GATEWAY_*; None where there is no gateway. Raises SettingsError."""
    if not env.get("AUTOPACK_GATEWAY_URL"):
        return None
    url = _url(env, "AUTOPACK_GATEWAY_URL").rstrip("/")
    return GatewaySettings(url, Path(_required(env, "AUTOPACK_GATEWAY_TOKEN_FILE")))


def registry_settings(env: Mapping[str, str]) -> RegistrySettings:
    """Read DATABASE_URL and AUTOPACK_REGISTRY_*. Raises SettingsError, which never shows a password."""
    folder = Path(env.get("AUTOPACK_REGISTRY_DIR") or "/var/lib/autopack")
    try:
        url = check_database_url(env["DATABASE_URL"], "DATABASE_URL") if env.get("DATABASE_URL") else None
    except InvalidInput as error:
        raise SettingsError(str(error)) from error
    return RegistrySettings(
        url=url or sqlite_url(folder / "registry.db"),
        folder=folder,
        installation=env.get("AUTOPACK_INSTALLATION") or _required(env, "AUTOPACK_NAMESPACE"),
    )


def _required(env: Mapping[str, str], name: str) -> str:
    if not env.get(name):
        raise SettingsError(f"{name} is not set; the chart sets it from its values")
    return env[name]


def _number(env: Mapping[str, str], name: str, default: int, allowed: range) -> int:
    text = env.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or int(text) not in allowed:
        raise SettingsError(f"{name}={text!r} is not a number from {allowed[0]} to {allowed[-1]}")
    return int(text)


def _one_of(env: Mapping[str, str], name: str, allowed: frozenset[str], default: str) -> str:
    value = env.get(name, default)
    if value not in allowed:
        raise SettingsError(f"{name}={value!r} is none of {', '.join(sorted(allowed))}")
    return value


def _url(env: Mapping[str, str], name: str) -> str:
    text = _required(env, name)
    if not re.fullmatch(r"https?://[^/\s]+/?", text):
        raise SettingsError(f"{name}={text!r} is not of the form http://host:port")
    return text


def _address(env: Mapping[str, str], name: str, default: str) -> str:
    text = env.get(name, default)
    _, separator, port = text.rpartition(":")
    if not separator or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        raise SettingsError(f"{name}={text!r} is not of the form host:port")
    return text


def _labels(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",") if pair]
    if any(not separator or not key for key, separator, _ in pairs):
        raise SettingsError(f"AUTOPACK_VOLUME_SELECTOR={text!r} is not of the form key=value,key=value")
    return {key: value for key, _, value in pairs}
