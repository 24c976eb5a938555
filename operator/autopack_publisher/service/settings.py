"""What the environment tells the publisher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from autopack.errors import InvalidInput, printable
from autopack_volume.service.settings import allowed_protocols, listen, names, number, volume_root

from .credentials import PLACE, WriteCredentials

AUDIENCE = "autopack-publisher"


@dataclass(frozen=True)
class Settings:
    """`root` is the volume, which is only read; `scratch` a folder for what is thrown away; times are in seconds."""

    root: Path
    scratch: Path
    host: str = "0.0.0.0"  # noqa: S104 - a service in a pod of its own
    port: int = 8080
    allowed_callers: frozenset[str] = frozenset()
    audience: str = AUDIENCE
    protocols: tuple[str, ...] = ("https", "ssh")
    push_timeout: float = 300
    look_timeout: float = 300
    """How long a run's commits may be looked at."""
    answer_within: float = 1.5
    threads: int = 16
    credentials: WriteCredentials = field(default_factory=lambda: WriteCredentials(None))
    allow_loopback: bool = False
    """Whether targets may be on this machine: only where `file` is allowed, that is, in tests."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read AUTONOMOUS_RUNS_DIR and AUTOPACK_*; raise InvalidInput naming the variable that is wrong."""
        host, port = listen("AUTOPACK_LISTEN", environ.get("AUTOPACK_LISTEN", "0.0.0.0:8080"))
        protocols = allowed_protocols(environ)
        return cls(
            root=volume_root(environ),
            scratch=_scratch(environ),
            host=host,
            port=port,
            allowed_callers=names(environ, "AUTOPACK_ALLOWED_CALLERS"),
            audience=environ.get("AUTOPACK_TOKEN_AUDIENCE", AUDIENCE),
            protocols=protocols,
            push_timeout=number(environ, "AUTOPACK_PUSH_TIMEOUT_SECONDS", "300", 1, 86400),
            look_timeout=number(environ, "AUTOPACK_LOOK_TIMEOUT_SECONDS", "300", 1, 86400),
            threads=int(number(environ, "AUTOPACK_PUSH_THREADS", "16", 2, 64)),
            credentials=_credentials(environ),
            allow_loopback="file" in protocols,
        )


def _scratch(environ: Mapping[str, str]) -> Path:
    text = environ.get("AUTOPACK_SCRATCH_DIR", "/tmp")  # noqa: S108 - a volume of the pod's own
    if not Path(text).is_absolute() or not Path(text).is_dir():
        message = f"'{printable(text, 120)}' is not an absolute path to a folder"
        raise InvalidInput("AUTOPACK_SCRATCH_DIR", message, "Name a folder that may be written")
    return Path(text)


def _credentials(environ: Mapping[str, str]) -> WriteCredentials:
    file = environ.get(PLACE.variable, "")
    try:
        return WriteCredentials(Path(file) if file else None)
    except OSError as error:
        message = f"{printable(file, 120)} cannot be read: {error.strerror}"
        raise InvalidInput(PLACE.variable, message, "Name the file with the declarations") from error
