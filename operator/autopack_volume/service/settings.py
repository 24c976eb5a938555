"""What the environment tells the volume service and its commands."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from autopack.errors import InvalidInput, printable

from .credentials.access import Credentials
from .credentials.declared import load

_DAY = 86400
_PROTOCOLS = ("https", "ssh", "http", "git", "file")


class Policy(NamedTuple):
    """After how many seconds without use something goes (None: never), and how much all mirrors may take up in bytes.

    `mirrors`: copies of repositories that can be fetched again. `bundles`: what pods handed over, once it is imported.
    `results`: the commits of runs, which are nowhere else, with what was noted about their attempts.
    """

    mirrors: float | None = None
    mirrors_bytes: int | None = None
    bundles: float | None = None
    results: float | None = None

    @property
    def removes_something(self) -> bool:
        """Whether anything goes at all."""
        return any(limit is not None for limit in self)


NEVER = Policy()
"""Nothing goes."""


@dataclass(frozen=True)
class Settings:
    """`root` is the volume; `protocols` are git's transports; times are in seconds."""

    root: Path
    host: str = "0.0.0.0"  # noqa: S104 - a service in a pod of its own
    port: int = 8080
    read_host: str = "127.0.0.1"
    read_port: int = 8082
    allowed_callers: frozenset[str] = frozenset()
    allowed_readers: frozenset[str] = frozenset()
    audience: str = "autopack-volume"
    protocols: tuple[str, ...] = ("https", "ssh")
    fetch_timeout: float = 600
    answer_within: float = 1.5
    fetch_threads: int = 4
    file_threads: int = 4
    read_threads: int = 4
    retention: Policy = NEVER
    tidy_seconds: float = 21600
    """How often what the policy names is removed, and what takes up room is measured."""
    credentials: Credentials = field(default_factory=Credentials)
    allow_loopback: bool = False
    """Whether repositories may lie on this machine: only where `file` is allowed, that is, in tests."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read AUTONOMOUS_RUNS_DIR and AUTOPACK_*; raise InvalidInput naming the variable that is wrong."""
        host, port = listen("AUTOPACK_LISTEN", environ.get("AUTOPACK_LISTEN", "0.0.0.0:8080"))
        read_host, read_port = _loopback(environ.get("AUTOPACK_READ_LISTEN", "127.0.0.1:8082"))
        protocols = allowed_protocols(environ)
        return cls(
            root=volume_root(environ),
            host=host,
            port=port,
            read_host=read_host,
            read_port=read_port,
            allowed_callers=names(environ, "AUTOPACK_ALLOWED_CALLERS"),
            allowed_readers=names(environ, "AUTOPACK_ALLOWED_READERS"),
            audience=environ.get("AUTOPACK_TOKEN_AUDIENCE", "autopack-volume"),
            protocols=protocols,
            fetch_timeout=number(environ, "AUTOPACK_FETCH_TIMEOUT_SECONDS", "600", 1, 86400),
            fetch_threads=int(number(environ, "AUTOPACK_FETCH_THREADS", "4", 1, 64)),
            file_threads=int(number(environ, "AUTOPACK_FILE_THREADS", "4", 1, 64)),
            read_threads=int(number(environ, "AUTOPACK_READ_THREADS", "4", 1, 64)),
            retention=retention(environ),
            tidy_seconds=number(environ, "AUTOPACK_TIDY_SECONDS", "21600", 60, 2592000),
            credentials=_credentials(environ),
            allow_loopback="file" in protocols,
        )


def _credentials(environ: Mapping[str, str]) -> Credentials:
    file = environ.get("AUTOPACK_GIT_CREDENTIALS", "")
    try:
        return Credentials(load(Path(file)) if file else ())
    except OSError as error:
        message = f"{printable(file, 120)} cannot be read: {error.strerror}"
        raise InvalidInput("AUTOPACK_GIT_CREDENTIALS", message, "Name the file with the declarations") from error


def retention(environ: Mapping[str, str]) -> Policy:
    """Read what goes when; 0 means never, and is the default of all."""

    def limit(name: str, unit: int) -> float | None:
        return number(environ, name, "0", 0, 1e6) * unit or None

    most = limit("AUTOPACK_MIRRORS_MAX_GIB", 1 << 30)
    return Policy(
        mirrors=limit("AUTOPACK_KEEP_MIRRORS_DAYS", _DAY),
        mirrors_bytes=None if most is None else int(most),
        bundles=limit("AUTOPACK_KEEP_BUNDLES_DAYS", _DAY),
        results=limit("AUTOPACK_KEEP_RESULTS_DAYS", _DAY),
    )


def volume_root(environ: Mapping[str, str]) -> Path:
    """Return the folder where the volume is mounted; InvalidInput when it is not named or not there."""
    text = environ.get("AUTONOMOUS_RUNS_DIR", "")
    if not text or not Path(text).is_absolute() or not Path(text).is_dir():
        message = "is not set" if not text else f"'{printable(text, 120)}' is not an absolute path to a folder"
        raise InvalidInput("AUTONOMOUS_RUNS_DIR", message, "Set it to where the volume is mounted")
    return Path(text)


def allowed_protocols(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Read which of git's transports may be used; raise InvalidInput for one that is none."""
    protocols = tuple(environ.get("AUTOPACK_ALLOWED_PROTOCOLS", "https:ssh").split(":"))
    for protocol in protocols:
        if protocol not in _PROTOCOLS:
            message = f"'{printable(protocol, 20)}' is not a protocol that can be allowed"
            raise InvalidInput("AUTOPACK_ALLOWED_PROTOCOLS", message, f"Choose from {':'.join(_PROTOCOLS)}")
    return protocols


def names(environ: Mapping[str, str], variable: str) -> frozenset[str]:
    """Return the words of a list that commas separate."""
    words = (name.strip() for name in environ.get(variable, "").split(","))
    return frozenset(name for name in words if name)


def listen(variable: str, text: str) -> tuple[str, int]:
    """Read `<address>:<port>`; raise InvalidInput otherwise."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 <= int(port) <= 65535:
        raise InvalidInput(variable, f"'{printable(text, 60)}' is not <address>:<port>", "Use 0.0.0.0:8080")
    return host.strip("[]"), int(port)


def _loopback(text: str) -> tuple[str, int]:
    """Read where readers without a token come in: nothing but this pod itself may get there."""
    host, port = listen("AUTOPACK_READ_LISTEN", text)
    try:
        safe = ipaddress.ip_address(host).is_loopback
    except ValueError:
        safe = False
    if not safe:
        message = f"'{printable(host, 60)}' is not a loopback address, and readers there need no token"
        raise InvalidInput("AUTOPACK_READ_LISTEN", message, "Use 127.0.0.1:8082")
    return host, port


def number(environ: Mapping[str, str], name: str, default: str, least: float, most: float) -> float:
    """Read a number within bounds; raise InvalidInput otherwise."""
    text = environ.get(name, default)
    try:
        value = float(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        message = f"'{printable(text, 20)}' is not a number from {least:g} to {most:g}"
        raise InvalidInput(name, message, f"Use {default}")
    return value
