"""The hosts that the contract is about: two that are played, and a real one; with what people do there."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import secrets
import time
from collections.abc import Iterator
from typing import Protocol
from urllib.parse import quote, urlencode

from tests.doubles.hosts.front import Answer, Backend, Front, Request
from tests.doubles.hosts.github import GitHubDouble, Pull
from tests.doubles.hosts.gitlab import GitLabDouble

from autopack_publisher.service.hosts.address import HostKind
from autopack_publisher.service.hosts.connect import connect
from autopack_publisher.service.hosts.port import Host

from .certificates import Authority
from .gitea import OWNER, Gitea, RefusedError

Status = tuple[str, str, str]


class World(Protocol):
    """A host with one repository of its own."""

    kind: HostKind
    front: Front
    repository: str
    token: str

    def branch(self, name: str) -> str: ...
    def delete(self, name: str) -> None: ...
    def close(self, number: int) -> None: ...
    def merge(self, number: int) -> None: ...
    def mark_ready(self, number: int) -> None: ...
    def from_fork(self, head: str, body: str) -> None: ...
    def numbers(self) -> list[int]: ...
    def draft(self, number: int) -> bool: ...
    def labels(self, number: int) -> list[str]: ...
    def reviewers(self, number: int) -> list[str]: ...
    def statuses(self, sha: str) -> list[Status]: ...


def host_of(world: World, authority: Authority, repository: str = "") -> Host:
    """Return the host as the publisher makes it. The token is the world's at the time of each request."""

    async def token() -> str:
        return world.token

    return connect(
        world.kind,
        f"{world.front.url}/{repository or world.repository}.git",
        token,
        api=f"{world.front.url}/api/v3" if world.kind is HostKind.GITHUB else "",
        credential="write",
        secret="write-secret",
        ca_file=authority.file,
    )


class PlayedWorld:
    """GitHub or GitLab."""

    def __init__(self, kind: HostKind, double: GitHubDouble | GitLabDouble, front: Front, refs: dict[str, str]) -> None:
        self.kind, self.front, self.repository, self.token = kind, front, double.repository, double.token
        self.double, self._refs = double, refs

    def branch(self, name: str) -> str:
        self._refs[name] = secrets.token_hex(20)
        return self._refs[name]

    def delete(self, name: str) -> None:
        del self._refs[name]

    def close(self, number: int) -> None:
        self.double.pull(number).state = "closed"

    def merge(self, number: int) -> None:
        pull = self.double.pull(number)
        pull.state, pull.merged = "closed", True

    def mark_ready(self, number: int) -> None:
        pull = self.double.pull(number)
        pull.draft, pull.title = False, pull.title.removeprefix("Draft: ")

    def from_fork(self, head: str, body: str) -> None:
        number = len(self.double.pulls) + 1
        self.double.pulls.append(Pull(number, head, "main", "forked", body, draft=False, fork=True))

    def numbers(self) -> list[int]:
        return [pull.number for pull in self.double.pulls]

    def draft(self, number: int) -> bool:
        return self.double.pull(number).draft

    def labels(self, number: int) -> list[str]:
        return self.double.pull(number).labels

    def reviewers(self, number: int) -> list[str]:
        return self.double.pull(number).reviewers

    def statuses(self, sha: str) -> list[Status]:
        keys = ("context", "state") if self.kind is HostKind.GITHUB else ("name", "state")
        return [(s[keys[0]], s[keys[1]], s.get("target_url", "")) for s in self.double.statuses.get(sha, [])]


@contextlib.contextmanager
def played(kind: HostKind, authority: Authority) -> Iterator[PlayedWorld]:
    """Play a host while the block runs."""
    refs = {"main": secrets.token_hex(20)}
    token = f"canary-{secrets.token_hex(12)}"
    double: GitHubDouble | GitLabDouble
    if kind is HostKind.GITHUB:
        double = GitHubDouble(lambda: refs, token=token)
        double.api_path = "/api/v3"
    else:
        double = GitLabDouble(lambda: refs, token=token)
    with Front(double, *authority.certificate()).running() as front:
        yield PlayedWorld(kind, double, front, refs)


class GiteaWorld:
    """A repository of its own at a real Gitea."""

    kind = HostKind.GITEA
    _numbers = itertools.count(1)

    def __init__(self, gitea: Gitea, front: Front) -> None:
        self._gitea, self.front, self.token = gitea, front, gitea.token
        self._name = f"app-{next(self._numbers)}"
        self.repository = f"{OWNER}/{self._name}"
        self._path = f"/repos/{self.repository}"
        # Public, so that somebody without rights can fork it.
        gitea.new_repository(self._name, private=False)

    def branch(self, name: str) -> str:
        return self._gitea.new_branch(self._name, name)

    def delete(self, name: str) -> None:
        self._gitea.ask("DELETE", f"{self._path}/branches/{quote(name, safe='')}")

    def close(self, number: int) -> None:
        self._gitea.ask("PATCH", f"{self._path}/pulls/{number}", {"state": "closed"})

    def merge(self, number: int) -> None:
        # Gitea looks for conflicts first, in its own time.
        deadline = time.monotonic() + 120
        while not self._gitea.ask("GET", f"{self._path}/pulls/{number}")["merged"]:
            assert time.monotonic() < deadline
            with contextlib.suppress(RefusedError):
                self._gitea.ask("POST", f"{self._path}/pulls/{number}/merge", {"Do": "merge"})
            time.sleep(0.1)

    def mark_ready(self, number: int) -> None:
        title = self._gitea.ask("GET", f"{self._path}/pulls/{number}")["title"]
        self._gitea.ask("PATCH", f"{self._path}/pulls/{number}", {"title": title.removeprefix("WIP: ")})

    def from_fork(self, head: str, body: str) -> None:
        self._gitea.ask("POST", f"{self._path}/forks", {}, "mallory")
        self._gitea.new_branch(self._name, head, "mallory", "mallory")
        wanted = {"head": f"mallory:{head}", "base": "main", "title": "forked", "body": body}
        self._gitea.ask("POST", f"{self._path}/pulls", wanted, "mallory")

    def numbers(self) -> list[int]:
        return [pull["number"] for pull in self._gitea.ask("GET", f"{self._path}/pulls?state=all")]

    def draft(self, number: int) -> bool:
        return bool(self._gitea.ask("GET", f"{self._path}/pulls/{number}")["draft"])

    def labels(self, number: int) -> list[str]:
        return [label["name"] for label in self._gitea.ask("GET", f"{self._path}/issues/{number}/labels")]

    def reviewers(self, number: int) -> list[str]:
        pull = self._gitea.ask("GET", f"{self._path}/pulls/{number}")
        return [user["login"] for user in pull["requested_reviewers"] or []]

    def statuses(self, sha: str) -> list[Status]:
        # Newest first: Gitea itself goes by seconds.
        found = self._gitea.ask("GET", f"{self._path}/commits/{sha}/statuses")
        found.sort(key=lambda one: one["id"], reverse=True)
        return [(one["context"], one["status"], one["target_url"]) for one in found]


def forwarding(gitea: Gitea) -> Backend:
    """Return the way to a Gitea that has no TLS of its own."""

    def forward(request: Request) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", gitea.port, timeout=120)
        query = f"?{urlencode(request.query)}" if request.query else ""
        body = None if request.document is None else json.dumps(request.document)
        kept = {name: request.headers[name] for name in ("authorization", "content-type") if name in request.headers}
        with contextlib.closing(connection):
            connection.request(request.method, request.raw_path + query, body, kept)
            response = connection.getresponse()
            passed = {name: response.headers[name] for name in ("Link", "Location") if name in response.headers}
            return Answer(response.status, response.read(), passed)

    return forward
