"""Where a host has its API, and what it calls the repository there. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from autopack.errors import InvalidInput, printable


class HostKind(StrEnum):
    """What speaks at a host besides git. Forgejo is a Gitea here; `Plain` has no pull requests."""

    GITHUB = "GitHub"
    GITLAB = "GitLab"
    GITEA = "Gitea"
    PLAIN = "Plain"


_API_PATHS = {HostKind.GITHUB: "/api/v3", HostKind.GITLAB: "/api/v4", HostKind.GITEA: "/api/v1"}
_GITHUB = ("https://github.com", "https://api.github.com")


class Place(NamedTuple):
    """A repository at a host: the API's address, and the repository's path there, without `.git`."""

    api: str
    repository: str


def place_of(kind: HostKind, target: str, api: str = "") -> Place:
    """Return where pull requests of the repository `target` are made. InvalidInput names what is wrong.

    `api` is for hosts that have it elsewhere: below a path, on another port than git's over ssh, behind another name.
    """
    host, port, path = _parts(target)
    web = f"https://{host}" + (f":{port}" if port else "")
    base = (api or _usual_api(kind, web)).rstrip("/")
    parts = urlsplit(base)
    if parts.scheme != "https" or not parts.hostname or parts.username is not None:
        raise InvalidInput("host.api", f"'{printable(base, 120)}' is not a usable address", "Give one with https://")
    below = [part for part in parts.path.removesuffix(_API_PATHS.get(kind, "")).split("/") if part]
    if path[: len(below)] == below:
        path = path[len(below) :]
    if len(path) < 2 or (kind is not HostKind.GITLAB and len(path) != 2):
        wanted = "a group and a project" if kind is HostKind.GITLAB else "an owner and a repository"
        raise InvalidInput("target", f"'{printable(target, 200)}' does not name {wanted}", "Correct the address")
    return Place(base, "/".join(path))


def _usual_api(kind: HostKind, web: str) -> str:
    return _GITHUB[1] if kind is HostKind.GITHUB and web == _GITHUB[0] else f"{web}{_API_PATHS[kind]}"


def _parts(target: str) -> tuple[str, int | None, list[str]]:
    """Return host, port of the web server where the address tells it, and the path's segments."""
    try:
        url = urlsplit(target if "://" in target else "ssh://" + target.replace(":", "/", 1))
        host, port = url.hostname or "", url.port if url.scheme == "https" else None
    except ValueError:
        host, port = "", None
    if not host:
        raise InvalidInput("target", f"'{printable(target, 200)}' names no host", "Give an https:// or ssh:// address")
    segments = [unquote(part) for part in url.path.split("/") if part]
    if segments:
        segments[-1] = segments[-1].removesuffix(".git")
    if any(not part or {".", ".."} & set(part.split("/")) or "/" in part for part in segments):
        raise InvalidInput("target", f"'{printable(target, 200)}' leaves its own path", "Correct the address")
    return f"[{host}]" if ":" in host else host, port, segments
