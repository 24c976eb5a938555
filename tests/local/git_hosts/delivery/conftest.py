"""A publisher on a volume, and a real git server that it may push to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from tests.local.git_hosts.certificates import Authority
from tests.local.git_hosts.conftest import Declarations
from tests.local.git_hosts.delivery.repos import REF, UID, Work
from tests.local.git_hosts.delivery.serving import Anybody
from tests.local.git_hosts.servers import HttpsServer

from autopack_publisher.service.deliveries import Connect
from autopack_publisher.service.hosts.port import CommitStatus, PullRequest, PullRequestWish, State
from autopack_publisher.service.http import Service
from autopack_publisher.service.settings import Settings

PATIENCE_SECONDS = 90


class PlayedHost:
    """Pull requests in memory. `fails` is raised by requests. All of it may be asked twice."""

    has_pull_requests = True

    def __init__(self) -> None:
        self.pulls: list[tuple[PullRequestWish, State]] = []
        self.statuses: list[tuple[str, CommitStatus]] = []
        self.fails: Exception | None = None

    async def find(self, head: str, marker: str) -> PullRequest | None:
        self._fail()
        numbers = [n for n, (wish, _) in enumerate(self.pulls) if wish.head == head and marker in wish.body]
        return self._shown(numbers[-1]) if numbers else None

    async def create(self, wish: PullRequestWish) -> PullRequest:
        self.pulls.append((wish, State.OPEN))
        return self._shown(len(self.pulls) - 1)

    async def update(self, number: int, wish: PullRequestWish) -> PullRequest:
        self.pulls[number - 1] = (wish, self.pulls[number - 1][1])
        return self._shown(number - 1)

    async def set_status(self, sha: str, status: CommitStatus) -> None:
        self._fail()
        self.statuses.append((sha, status))

    async def default_branch(self) -> str:
        return "main"

    def _shown(self, index: int) -> PullRequest:
        wish, state = self.pulls[index]
        return PullRequest(index + 1, f"https://host/pulls/{index + 1}", state, wish.base, wish.title, wish.body)

    def _fail(self) -> None:
        if self.fails is not None:
            raise self.fails


@pytest.fixture
def work(tmp_path: Path, repositories: Path) -> Work:
    """A run's work on the volume of the publisher."""
    volume = tmp_path / "volume"
    volume.mkdir()
    return Work(tmp_path / "run", volume)


@pytest.fixture
def declared(declarations: Declarations, https: HttpsServer, authority: Authority) -> Declarations:
    declarations.add("Basic", https.url, ca=authority.file, username=https.user, password=https.password)
    return declarations


def environment(volume: Path, declarations: Declarations, scratch: Path) -> dict[str, str]:
    """What the chart would set, and `file`, which lets targets be on this machine."""
    scratch.mkdir(exist_ok=True)
    return {
        "AUTONOMOUS_RUNS_DIR": str(volume),
        "AUTOPACK_SCRATCH_DIR": str(scratch),
        "AUTOPACK_PUBLISHER_CREDENTIALS": str(declarations.file),
        "AUTOPACK_ALLOWED_CALLERS": "test",
        "AUTOPACK_ALLOWED_PROTOCOLS": "https:ssh:file",
    }


def request(work: Work, target: str, **changed: Any) -> dict[str, Any]:
    """What the operator sends for the run as it is now."""
    return {
        "runId": "run",
        "name": "run",
        "namespace": "agents",
        "repoKey": work.key,
        "ref": REF,
        "commit": work.imported(),
        "base": work.base,
        "target": target,
        "credential": "",
        "branch": "agents/run",
        "baseBranch": "",
        "expected": "",
        "squash": False,
        "message": "Work of run",
        "policy": {"branches": ["agents/**"], "protectedPaths": [], "maxChangedFiles": None, "maxBytes": None},
        "pullRequest": {"title": "Work", "body": "What it did."},
        "link": "https://dashboard/runs/run",
    } | changed


Ask = Callable[[dict[str, Any]], Awaitable[tuple[int, dict[str, Any]]]]


async def until_final(client: TestClient[Any, Any], wanted: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Ask until it is no longer pending."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            headers = {"Authorization": "Bearer test"}
            async with client.put(f"/v1/deliveries/{UID}/1", data=json.dumps(wanted), headers=headers) as response:
                if response.status != 202:
                    return response.status, await response.json()
            await asyncio.sleep(0.05)


@pytest.fixture
def host() -> PlayedHost:
    return PlayedHost()


@pytest.fixture
async def ask(work: Work, declared: Declarations, host: PlayedHost, tmp_path: Path) -> AsyncIterator[Ask]:
    """Asks a publisher whose git host is played, until there is an answer."""
    connect: Connect = lambda _wanted, _chosen: host  # noqa: E731
    settings = Settings.from_environment(environment(work.volume, declared, tmp_path / "scratch"))
    async with TestClient(TestServer(Service(settings, Anybody(), connect).app())) as client:
        yield lambda wanted: until_final(client, wanted)
