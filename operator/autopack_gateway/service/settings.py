"""What the environment tells the gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autopack.errors import InvalidInput, printable

from .providers import VARIABLE, Provider, load

FOLDER = ".gateway"
"""Where the journal is, on the volume."""


@dataclass(frozen=True)
class LeaseName:
    """The Lease object that says which gateway is active."""

    namespace: str
    name: str
    holder: str


@dataclass(frozen=True)
class Limits:
    """How long things may take, in seconds."""

    patience: float = 600
    """How long a request is tried again that the provider has no room for; then its client gets the refusal."""
    drain: float = 120
    """How long requests have to end when the gateway is to end."""
    silence: float = 600
    """How long an upstream may send nothing."""
    backoff: float = 0.5
    """How long before the second try after a failure; it doubles with each."""


@dataclass(frozen=True)
class Settings:
    """`folder` is the journal's; `lease` is None where a locked file there is enough, on one machine."""

    folder: Path
    providers: Mapping[str, Provider]
    allowed_callers: frozenset[str]
    host: str = "0.0.0.0"  # noqa: S104 - a service in a pod of its own
    port: int = 8080
    audience: str = "autopack-gateway"
    lease: LeaseName | None = None
    limits: Limits = Limits()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read AUTONOMOUS_RUNS_DIR and AUTOPACK_*; raise InvalidInput naming the variable that is wrong."""
        callers = frozenset(filter(None, map(str.strip, environ.get("AUTOPACK_ALLOWED_CALLERS", "").split(","))))
        if not callers:
            fix = "Name the operator's: system:serviceaccount:<namespace>:<name>"
            raise InvalidInput("AUTOPACK_ALLOWED_CALLERS", "names nobody who may send grants", fix)
        host, port = _listen(environ.get("AUTOPACK_LISTEN", "0.0.0.0:8080"))
        limits = Limits(
            patience=_seconds(environ, "AUTOPACK_PATIENCE_SECONDS", "600"),
            drain=_seconds(environ, "AUTOPACK_DRAIN_SECONDS", "120"),
            silence=_seconds(environ, "AUTOPACK_SILENCE_SECONDS", "600"),
        )
        return cls(
            folder=_volume(environ) / FOLDER,
            providers=load(Path(environ.get(VARIABLE, ""))),
            allowed_callers=callers,
            host=host,
            port=port,
            audience=environ.get("AUTOPACK_TOKEN_AUDIENCE", "autopack-gateway"),
            lease=_lease(environ),
            limits=limits,
        )


def _volume(environ: Mapping[str, str]) -> Path:
    text = environ.get("AUTONOMOUS_RUNS_DIR", "")
    if not text or not Path(text).is_absolute() or not Path(text).is_dir():
        message = "is not set" if not text else f"'{printable(text, 120)}' is not an absolute path to a folder"
        raise InvalidInput("AUTONOMOUS_RUNS_DIR", message, "Set it to where the volume is mounted")
    return Path(text)


def _lease(environ: Mapping[str, str]) -> LeaseName | None:
    name = environ.get("AUTOPACK_LEASE", "")
    if not name:
        return None
    for variable in ("AUTOPACK_NAMESPACE", "AUTOPACK_POD_NAME"):
        if not environ.get(variable):
            raise InvalidInput(variable, "is not set, and AUTOPACK_LEASE is", "Set it from the pod's own fields")
    return LeaseName(environ["AUTOPACK_NAMESPACE"], name, environ["AUTOPACK_POD_NAME"])


def _listen(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 <= int(port) <= 65535:
        message = f"'{printable(text, 60)}' is not <address>:<port>"
        raise InvalidInput("AUTOPACK_LISTEN", message, "Use 0.0.0.0:8080")
    return host.strip("[]"), int(port)


def _seconds(environ: Mapping[str, str], name: str, default: str) -> float:
    text = environ.get(name, default)
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 86400:
        raise InvalidInput(name, f"'{printable(text, 20)}' is not a number from 0 to 86400", f"Use {default}")
    return value
