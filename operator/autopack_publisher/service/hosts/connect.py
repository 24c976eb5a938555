"""The host that a credential names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from .address import HostKind, place_of
from .checked import Checked
from .gitea import Gitea
from .github import GitHub
from .gitlab import GitLab
from .plain import Plain
from .port import Host
from .rest import Connection

_HOSTS: dict[HostKind, Callable[[Connection, str], Host]] = {
    HostKind.GITHUB: GitHub,
    HostKind.GITLAB: GitLab,
    HostKind.GITEA: Gitea,
}


def connect(
    kind: HostKind,
    target: str,
    token: Callable[[], Awaitable[str]],
    *,
    api: str = "",
    credential: str = "",
    secret: str = "",
    ca_file: Path | None = None,
    proxy: str = "",
) -> Host:
    """Return the host of the repository `target`. Nothing is sent yet; InvalidInput names what is wrong."""
    if kind is HostKind.PLAIN:
        return Plain()
    place = place_of(kind, target, api)
    connection = Connection(place.api, token, credential, secret, ca_file, proxy)
    return Checked(_HOSTS[kind](connection, place.repository), place.api)
