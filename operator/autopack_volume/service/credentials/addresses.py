"""Which addresses a credential is for. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

_SCP_LIKE = re.compile(r"(?:(?P<user>[^@/:]+)@)?(?P<host>[^@/:]+):(?P<path>(?!//).*)")
_PORTS = {"https": 443, "http": 80, "ssh": 22}


class Address(NamedTuple):
    """A repository's address, or the beginning of one, in the one form in which they can be compared.

    `path` are the path's segments, decoded, without a final `.git` or slash.
    """

    scheme: str
    host: str
    port: int | None
    user: str
    path: tuple[str, ...]

    @property
    def server(self) -> tuple[str, str, int | None]:
        """What is the same for all repositories of one server."""
        return self.scheme, self.host, self.port


def parse(text: str) -> Address | None:
    """Read `https://…`, `ssh://…` or `user@host:path`; None for what names no server, or leaves its own path."""
    if "://" not in text and (scp := _SCP_LIKE.fullmatch(text)):
        return _address("ssh", scp["host"], None, scp["user"] or "", scp["path"])
    try:
        url = urlsplit(text)
        return _address(url.scheme.lower(), url.hostname or "", url.port, url.username or "", url.path)
    except ValueError:
        return None


def _address(scheme: str, host: str, port: int | None, user: str, path: str) -> Address | None:
    segments = tuple(unquote(part) for part in path.split("/") if part)
    # Whoever resolves "..", and "." too, would come to another repository than the one that was compared.
    if scheme not in _PORTS or not host or {".", ".."} & {part for name in segments for part in name.split("/")}:
        return None
    if segments:
        segments = (*segments[:-1], segments[-1].removesuffix(".git"))
    return Address(scheme, host.rstrip(".").lower(), port or _PORTS[scheme], user, segments)


def covers(prefix: Address, address: Address) -> bool:
    """Tell whether an address begins with a prefix: the same server, the same user if one is named, whole segments."""
    if prefix.server != address.server or prefix.user not in ("", address.user):
        return False
    return address.path[: len(prefix.path)] == prefix.path
