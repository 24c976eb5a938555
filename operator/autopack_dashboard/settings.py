"""Settings of the dashboard in a cluster, from its environment. The chart sets them; docs/chart.md says how."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autopack.errors import InvalidInput, printable
from autopack.registry.urls import DatabaseUrl, check_database_url, sqlite_url

_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_WAYS = ("kubernetes", "none")


@dataclass(frozen=True)
class Settings:
    """See `from_environment` for the variables."""

    host: str
    port: int
    namespace: str
    installation: str
    asks_who: bool
    database: DatabaseUrl
    volume_url: str
    volume_token_file: Path

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> Settings:
        """Read DATABASE_URL and the AUTOPACK_* variables. Raises InvalidInput, which never shows a password."""
        host, port = listen_address(env.get("AUTOPACK_LISTEN", "127.0.0.1:8080"))
        namespace = _required(env, "AUTOPACK_NAMESPACE")
        if not _NAMESPACE.fullmatch(namespace):
            raise InvalidInput("AUTOPACK_NAMESPACE", "is not a namespace", "Give the installation's")
        way = env.get("AUTOPACK_DASHBOARD_AUTHENTICATION", "kubernetes")
        if way not in _WAYS:
            raise InvalidInput("AUTOPACK_DASHBOARD_AUTHENTICATION", "is unknown", f"Choose from {', '.join(_WAYS)}")
        if way == "none":
            check_loopback(host)
        folder = Path(env.get("AUTOPACK_REGISTRY_DIR") or "/var/lib/autopack")
        given = env.get("DATABASE_URL")
        return cls(
            host=host,
            port=port,
            namespace=namespace,
            installation=env.get("AUTOPACK_INSTALLATION") or namespace,
            asks_who=way == "kubernetes",
            database=check_database_url(given, "DATABASE_URL") if given else sqlite_url(folder / "registry.db"),
            volume_url=_required(env, "AUTOPACK_VOLUME_URL"),
            volume_token_file=Path(_required(env, "AUTOPACK_VOLUME_TOKEN_FILE")),
        )


def listen_address(text: str) -> tuple[str, int]:
    """Return host and port of `host:port`."""
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdecimal()) or not 0 <= int(port) < 65536:
        raise InvalidInput("listen", f"'{printable(text, 60)}' is not <address>:<port>", "Use 127.0.0.1:8080")
    return host.strip("[]"), int(port)


def check_loopback(host: str) -> None:
    """Raise InvalidInput for an address that others can reach: nobody has to log in there."""
    try:
        alone = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        alone = False
    if not alone:
        fix = "Use 127.0.0.1, and reach it from elsewhere through `ssh -L`"
        raise InvalidInput(
            "listen", f"{printable(host, 60)} is not a loopback address, and nobody is asked to log in", fix
        )


def _required(env: Mapping[str, str], name: str) -> str:
    if not env.get(name):
        raise InvalidInput(name, "is not set", "The chart sets it from its values")
    return env[name]
