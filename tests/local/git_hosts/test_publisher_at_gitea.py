"""The publisher's own process delivers to a real Gitea: branch, pull request, status, and a second attempt over it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.local.git_hosts.certificates import Authority
from tests.local.git_hosts.gitea import OWNER, Gitea

from faults.delivery.publisher import Publisher

UID = "0a1b2c3d-0000-4000-8000-000000000001"
REPOSITORY = f"/repos/{OWNER}/app"
BRANCH = "agents/work"


@pytest.fixture
def gitea(tmp_path: Path, authority: Authority) -> Iterator[Gitea]:
    folder = tmp_path / "gitea"
    folder.mkdir()
    with Gitea(folder, authority).running() as server:
        server.new_repository("app")
        yield server


@pytest.fixture
def publisher(tmp_path: Path, gitea: Gitea) -> Iterator[Publisher]:
    """With a credential for the organisation, and the repository on its volume."""
    secret, ca = tmp_path / "publisher" / "secrets" / "write", tmp_path / "publisher" / "ca" / "write"
    for folder in (secret, ca):
        folder.mkdir(parents=True)
    (secret / "username").write_text("bot")
    (secret / "password").write_text(gitea.token)
    (ca / "ca.crt").write_bytes(gitea.ca.read_bytes())
    entry = {"name": "write", "urlPrefix": f"{gitea.url}/{OWNER}", "kind": "Basic", "secretName": "write-secret"}
    (tmp_path / "publisher" / "credentials.json").write_text(json.dumps([entry | {"host": {"kind": "Gitea"}}]))
    url = gitea.url.replace("https://", f"https://bot:{gitea.token}@")
    git("clone", "-q", "--bare", f"{url}/{OWNER}/app.git", str(results(tmp_path)), ca=gitea.ca)
    started = Publisher(tmp_path)
    yield started
    started.kill()


def results(folder: Path) -> Path:
    return folder / "volume" / ".repos" / "demo" / "results.git"


def git(*words: str, ca: Path | None = None, text: str = "") -> str:
    env = os.environ | {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env |= {"GIT_SSL_CAINFO": str(ca)} if ca else {}
    done = subprocess.run(["git", *words], env=env, input=text, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Path, attempt: int) -> tuple[str, str]:
    """Leave a commit of that attempt on the volume; return its base and it."""
    bare = ["--git-dir", str(results(folder))]
    base = git(*bare, "rev-parse", "refs/heads/main")
    blob = git(*bare, "hash-object", "-w", "--stdin", text=f"attempt {attempt}\n")
    tree = git(*bare, "mktree", text=f"100644 blob {blob}\twork\n")
    made = git(*bare, "commit-tree", tree, "-p", base, "-m", f"Attempt {attempt}")
    git(*bare, "update-ref", f"refs/runs/{UID}/a{attempt}/heads/main", made)
    return base, made


def request(gitea: Gitea, folder: Path, attempt: int, expected: str) -> dict[str, Any]:
    base, made = commit(folder, attempt)
    return {
        "runId": "work",
        "name": "work",
        "namespace": "runs",
        "repoKey": "demo",
        "ref": f"refs/runs/{UID}/a{attempt}/heads/main",
        "commit": made,
        "base": base,
        "target": f"{gitea.url}/{OWNER}/app.git",
        "credential": "",
        "branch": BRANCH,
        "baseBranch": "",
        "expected": expected,
        "squash": False,
        "message": "",
        "policy": {"branches": ["agents/**"], "protectedPaths": [], "maxChangedFiles": None, "maxBytes": None},
        "pullRequest": {"title": f"Attempt {attempt}", "body": "Text", "labels": ["agents"], "reviewers": ["nobody"]},
        "link": "https://dashboard.example/runs/work",
    }


def test_a_delivery_arrives_once_and_the_next_attempt_takes_its_place(
    tmp_path: Path, gitea: Gitea, publisher: Publisher
) -> None:
    first = request(gitea, tmp_path, 1, "")
    answer = publisher.deliver(f"/v1/deliveries/{UID}/1", first)
    assert (answer["state"], answer["commit"]) == ("delivered", first["commit"]), answer
    assert "nobody" in answer["message"]
    publisher.kill()
    # Whoever asks again, after whatever end of the process, gets the same answer, and nothing is there twice.
    again = publisher.deliver(f"/v1/deliveries/{UID}/1", first)
    assert again == answer
    second = request(gitea, tmp_path, 2, first["commit"])
    answer = publisher.deliver(f"/v1/deliveries/{UID}/2", second)
    [pull] = gitea.ask("GET", f"{REPOSITORY}/pulls?state=all")
    assert answer["pullRequest"] == {"number": pull["number"], "url": pull["html_url"]}
    assert (pull["title"], pull["head"]["sha"], pull["base"]["ref"]) == ("Attempt 2", second["commit"], "main")
    assert [label["name"] for label in pull["labels"]] == ["agents"]
    [status] = gitea.ask("GET", f"{REPOSITORY}/commits/{second['commit']}/status")["statuses"]
    assert (status["status"], status["target_url"]) == ("success", "https://dashboard.example/runs/work")


def test_what_a_person_pushed_to_the_branch_stays(tmp_path: Path, gitea: Gitea, publisher: Publisher) -> None:
    theirs = gitea.new_branch("app", BRANCH)
    answer = publisher.deliver(f"/v1/deliveries/{UID}/1", request(gitea, tmp_path, 1, ""))
    assert answer["state"] == "conflict"
    assert gitea.ask("GET", f"{REPOSITORY}/branches/agents%2Fwork")["commit"]["id"] == theirs
    assert gitea.ask("GET", f"{REPOSITORY}/pulls?state=all") == []
