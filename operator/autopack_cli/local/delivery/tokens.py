"""The git host of an address, and its token, as the hosts' own tools find them in the environment. Pure.

A token goes to no server but the one that its tool would send it to, whatever a repository calls its remote.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from autopack.errors import InvalidInput, printable

_FIX = (
    "Set GH_TOKEN (github.com), GH_HOST and GH_ENTERPRISE_TOKEN (GitHub Enterprise), GITLAB_TOKEN (gitlab.com, or"
    " GITLAB_HOST), or GITEA_SERVER_URL and GITEA_SERVER_TOKEN"
)


class Access(NamedTuple):
    """A host by its kind (as `HostKind` has them), the token, and the API's address where it is not the usual one."""

    kind: str
    token: str
    api: str = ""


class _Server(NamedTuple):
    host: str
    port: int


_WEB = 443


def access_for(target: str, environ: Mapping[str, str]) -> Access:
    """Return how pull requests are made for a repository; InvalidInput where the environment does not tell."""
    server = _server(target)
    found = _github(server, environ) or _gitlab(server, environ) or _gitea(server, environ)
    if found is None:
        message = f"no token in the environment is for '{printable(server.host, 120)}'"
        raise InvalidInput("--pull-request", message, _FIX)
    return found


def _github(server: _Server, environ: Mapping[str, str]) -> Access | None:
    if server == _Server("github.com", _WEB):
        return _access("GitHub", ("GH_TOKEN", "GITHUB_TOKEN"), environ)
    if server.host and server == _server(environ.get("GH_HOST", "")):
        return _access("GitHub", ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"), environ)
    return None


def _gitlab(server: _Server, environ: Mapping[str, str]) -> Access | None:
    place = environ.get("GITLAB_HOST") or "gitlab.com"
    names = ("GITLAB_TOKEN", "GITLAB_ACCESS_TOKEN")
    return _access("GitLab", names, environ, _api(place, "/api/v4")) if server == _server(place) else None


def _gitea(server: _Server, environ: Mapping[str, str]) -> Access | None:
    place = environ.get("GITEA_SERVER_URL", "")
    # Its API is at this address, whatever port the repository is at.
    if not server.host or server.host != _server(place).host:
        return None
    return _access("Gitea", ("GITEA_SERVER_TOKEN", "GITEA_TOKEN"), environ, _api(place, "/api/v1"))


def _access(kind: str, names: tuple[str, ...], environ: Mapping[str, str], api: str = "") -> Access | None:
    token = next((environ[name] for name in names if environ.get(name)), "")
    return Access(kind, token, api) if token else None


def _api(place: str, path: str) -> str:
    """Return the API below an address of a whole server; empty for a host's name, whose API is at the usual place."""
    return f"{place.rstrip('/')}{path}" if "://" in place else ""


def _server(address: str) -> _Server:
    """Return host and port of the web server at `https://host/…`, `ssh://git@host/…`, `git@host:…` or `host:port`."""
    name, _, port = address.partition(":")
    text = address
    if "://" not in address:
        text = f"https://{name}:{port}" if port.isdecimal() else f"ssh://{address.replace(':', '/', 1)}"
    try:
        url = urlsplit(text)
        return _Server((url.hostname or "").lower(), (url.port if url.scheme == "https" else None) or _WEB)
    except ValueError:
        return _Server("", 0)
