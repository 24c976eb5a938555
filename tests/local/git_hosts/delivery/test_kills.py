"""The publisher is killed between any two steps of a delivery: asked again, another one does the rest, once."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.doubles.hosts.front import Front
from tests.doubles.hosts.github import GitHubDouble
from tests.local.git_hosts.certificates import Authority
from tests.local.git_hosts.conftest import Declarations
from tests.local.git_hosts.delivery.conftest import PATIENCE_SECONDS, environment, request
from tests.local.git_hosts.delivery.repos import UID, Work, git
from tests.local.git_hosts.servers import HttpsServer

FAILPOINTS = [
    "delivery.before_push",
    "delivery.after_push",
    "publisher.after_branch",
    "publisher.before_pull_request",
    "publisher.after_pull_request",
    "publisher.after_status",
]
ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def bare(repositories: Path, work: Work) -> Path:
    path = repositories / "acme" / "app.git"
    git(work.folder, "push", "-q", "-f", str(path), "HEAD:main")
    # Each move of a branch is noted.
    git(path, "config", "core.logAllRefUpdates", "always")
    return path


@pytest.fixture
def double(https: HttpsServer, authority: Authority, bare: Path, declarations: Declarations) -> Iterator[GitHubDouble]:
    """GitHub's API beside the git server, for the credential that is declared for both."""

    def refs() -> dict[str, str]:
        listed = git(bare, "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads").splitlines()
        return dict(line.rsplit(" ", 1) for line in listed)

    github = GitHubDouble(refs, token=https.password)
    github.api_path = "/basic/api/v3"
    with Front(github, *authority.certificate()).running() as front:
        host = {"host": {"kind": "GitHub", "api": f"{front.url}/basic/api/v3"}}
        secret = {"username": https.user, "password": https.password}
        declarations.add("Basic", https.url, ca=authority.file, more=host, **secret)
        yield github


def asked(told: dict[str, str], wanted: dict[str, Any], failpoint: str = "") -> dict[str, Any] | None:
    """Ask a publisher that is started for it until it has an answer; None when it died at the failpoint."""
    env = os.environ | told | ({"AUTOPACK_FAILPOINT": f"{failpoint}:kill"} if failpoint else {})
    argv = [sys.executable, "-m", "tests.local.git_hosts.delivery.serving"]
    process = subprocess.Popen(argv, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
            try:
                connection.request(
                    "PUT", f"/v1/deliveries/{UID}/1", json.dumps(wanted), {"Authorization": "Bearer operator"}
                )
                response = connection.getresponse()
                answer: dict[str, Any] = json.loads(response.read())
            except (OSError, http.client.HTTPException):
                process.wait(timeout=PATIENCE_SECONDS)
                return None
            finally:
                connection.close()
            if response.status == 200:
                return answer
            assert response.status in (202, 503), answer
            time.sleep(0.05)
    finally:
        process.kill()
        process.communicate()
    raise AssertionError("no answer")


@pytest.mark.parametrize("failpoint", FAILPOINTS)
def test_killed_between_two_steps(
    failpoint: str,
    work: Work,
    bare: Path,
    double: GitHubDouble,
    https: HttpsServer,
    declarations: Declarations,
    tmp_path: Path,
) -> None:
    commit = work.commit({"a": "1"})
    wanted = request(work, f"{https.url}/basic/acme/app.git")
    scratch = tmp_path / "scratch"
    told = environment(work.volume, declarations, scratch)
    assert asked(told, wanted, failpoint) is None
    answer = asked(told, wanted)
    assert answer is not None
    assert (answer["state"], answer["commit"], answer["pullRequest"]["number"]) == ("delivered", commit, 1)
    assert [pull.head for pull in double.pulls] == ["agents/run"]
    assert {status["state"] for status in double.statuses[commit]} == {"success"}
    moves = (bare / "logs" / "refs" / "heads" / "agents" / "run").read_text().splitlines()
    assert [line.split()[:2] for line in moves] == [["0" * 40, commit]]
    assert list(scratch.iterdir()) == []
