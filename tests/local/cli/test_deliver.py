"""`autopack deliver`, from a run that has ended to a branch of a git server, with the user's own git."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.local.git_hosts.certificates import Authority
from tests.local.git_hosts.gitea import Gitea

from autopack.git.runner import run_git

from .conftest import Call

Work = Callable[..., None]
SECRET = "ghp_" + "q7Zr2LmX9wKp4TvB8nYc3HsD6fGjQ1aE5uWo"
PLACES = ("--source-repo", "repo", "--autonomous-runs-dir", "runs")


@pytest.fixture
def bare(here: Path, repo: Path) -> Path:
    """The repository `origin`, which has what the user's has."""
    run_git(["init", "-q", "--bare", "-b", "main", "origin.git"], cwd=here)
    run_git(["remote", "add", "origin", str(here / "origin.git")], cwd=repo)
    run_git(["push", "-q", "origin", "main"], cwd=repo, protocols=("file",))
    return here / "origin.git"


@pytest.fixture
def work(call: Call, here: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    """Let a run write these files, and commit them or not."""
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Agent")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "agent@example.com")

    def run(committed: dict[str, str], uncommitted: dict[str, str] | None = None) -> None:
        write = [
            f"echo '{text}' >{name} && git add {name} && git commit -qm {name}" for name, text in committed.items()
        ]
        write += [f"echo '{text}' >{name}" for name, text in (uncommitted or {}).items()]
        (here / "work.sh").write_text(" && ".join(write))
        words = ("--run-ids", "lint", "--anchor-path", "anchor.json", "--per-run-sqlite", *PLACES)
        assert call("autopilot", "supervise", *words, "--command", f"sh {here / 'work.sh'}").code == 0

    return run


def heads(bare: Path) -> dict[str, str]:
    listed = run_git(["for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads"], git_dir=bare).text
    return dict(line.rsplit(" ", 1) for line in listed.splitlines())


def subjects(bare: Path, branch: str) -> list[str]:
    return run_git(["log", "--format=%s", branch], git_dir=bare).text.splitlines()


def hook(bare: Path, text: str) -> None:
    path = bare / "hooks" / "pre-receive"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_the_runs_commits_go_to_a_branch_once(call: Call, work: Work, bare: Path, repo: Path) -> None:
    work({"a": "1", "b": "2"}, {"c": "3"})
    said = call("deliver", "lint", *PLACES)
    assert (said.code, said.err) == (0, "")
    tip = run_git(["rev-parse", "refs/heads/autopack/lint"], cwd=repo).text
    assert said.out == f"lint: branch agents/lint of {bare} is at {tip[:12]}\n"
    assert heads(bare)["agents/lint"] == tip
    assert subjects(bare, "agents/lint") == ["b", "a", "first"]
    # Again: a push would be declined.
    hook(bare, "exit 1")
    assert call("deliver", "lint", *PLACES) == said
    hook(bare, "exit 0")
    assert call("deliver", "lint", "--uncommitted", *PLACES).code == 0
    names = run_git(["ls-tree", "--name-only", "agents/lint"], git_dir=bare).text.split()
    assert names == ["a", "b", "c"]


def test_a_squashed_branch_follows_what_was_put_right(call: Call, work: Work, bare: Path, repo: Path) -> None:
    work({"a": SECRET, "b": "2"})
    refused = call("deliver", "lint", "--squash", *PLACES)
    assert refused.code == 2
    assert "a:1 (github-token" in refused.err
    assert SECRET not in refused.err
    assert heads(bare).keys() == {"main"}
    run_git(["worktree", "add", "-q", "../fix", "refs/heads/autopack/lint"], cwd=repo)
    (fix := repo.parent / "fix" / "a").write_text("from a file\n")
    run_git(["commit", "-qam", "fix"], cwd=fix.parent)
    run_git(["update-ref", "refs/heads/autopack/lint", "HEAD"], cwd=fix.parent)
    words = ("deliver", "lint", "--squash", "--title", "All of it", *PLACES)
    assert call(*words).code == 0
    assert subjects(bare, "agents/lint") == ["All of it", "first"]
    # It is nowhere but there.
    squashed = heads(bare)["agents/lint"]
    assert run_git(["cat-file", "-e", squashed], cwd=repo, check=False).returncode != 0
    (fix.parent / "c").write_text("3\n")
    run_git(["add", "c"], cwd=fix.parent)
    run_git(["commit", "-qm", "more"], cwd=fix.parent)
    run_git(["update-ref", "refs/heads/autopack/lint", "HEAD"], cwd=fix.parent)
    assert call(*words).code == 0
    assert (subjects(bare, "agents/lint"), heads(bare)["agents/lint"] == squashed) == (["All of it", "first"], False)


def test_nothing_of_others_is_overwritten(call: Call, work: Work, bare: Path) -> None:
    work({"a": "1"})
    before = heads(bare)["main"]
    for words, said in (
        (("--branch", "main"), "is the branch that pull requests go to"),
        (("--branch", "dev", "--base", "dev"), "is the branch that pull requests go to"),
    ):
        answer = call("deliver", "lint", *words, *PLACES)
        assert (answer.code, said in answer.err) == (2, True)
    # It comes to be while the push is on its way: the hook runs before git compares.
    hook(bare, f"unset GIT_QUARANTINE_PATH; git update-ref refs/heads/agents/lint {before}")
    answer = call("deliver", "lint", *PLACES)
    assert (answer.code, "which this run has not delivered" in answer.err) == (2, True)
    assert heads(bare) == {"main": before, "agents/lint": before}
    hook(bare, "echo 'only on Mondays'; exit 1")
    answer = call("deliver", "lint", "--branch", "agents/other", *PLACES)
    assert (answer.code, "only on Mondays" in answer.err) == (2, True)


def test_what_is_wrong_is_named(call: Call, work: Work, bare: Path) -> None:
    work({"a": "1"})
    for words, said in (
        (("none",), "nothing tells that the run 'none' has ended"),
        (("lint", "--to", "nowhere"), "--to: the repository has no remote 'nowhere'"),
        (("lint", "--to", "ext::sh"), "not allowed"),
        (("lint", "--branch", "a..b"), "--branch"),
        (("lint", "--pull-request"), "--pull-request: no token in the environment"),
    ):
        answer = call("deliver", *words, *PLACES)
        assert (answer.code, said in answer.err) == (2, True), answer.err
    assert heads(bare).keys() == {"main"}


def test_a_kill_is_made_good_by_the_next(call: Call, work: Work, bare: Path) -> None:
    work({"a": "1"})
    for point in ("delivery.before_push", "delivery.after_push", "deliver.after_branch"):
        words = ("deliver", "lint", "--squash", "--branch", point, *PLACES)
        killed = subprocess.run(
            [sys.executable, "-m", "autopack.cli", *words],
            env=os.environ | {"AUTOPACK_FAILPOINT": f"{point}:kill"},
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL
        assert call(*words).code == 0
        assert subjects(bare, point) == ["Work of lint", "first"]


def test_a_pull_request_at_a_real_gitea(
    call: Call, work: Work, here: Path, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work({"a": "1"})
    authority = Authority(here)
    (here / "gitea").mkdir()
    with Gitea(here / "gitea", authority).running() as gitea:
        gitea.new_repository("app")
        address = f"https://bot:{gitea.token}@{gitea.url.removeprefix('https://')}/acme/app.git"
        run_git(["remote", "add", "origin", address], cwd=repo)
        monkeypatch.setenv("GIT_SSL_CAINFO", str(authority.file))
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        words = ("deliver", "lint", "--pull-request", "--title", "Lint", "--body", "It did.", "--draft", *PLACES)
        answer = call(*words)
        # Nobody says whose the token would be: nothing is pushed before that is known.
        assert (answer.code, "no token in the environment" in answer.err) == (2, True)
        assert [one["name"] for one in gitea.ask("GET", "/repos/acme/app/branches")] == ["main"]
        monkeypatch.setenv("GITEA_SERVER_URL", gitea.url)
        monkeypatch.setenv("GITEA_SERVER_TOKEN", gitea.token)
        first = call(*words)
        assert (first.code, first.err) == (0, "")
        assert f"pull request 1 (open): {gitea.url}/acme/app/pulls/1" in first.out
        assert call(*words) == first
        [pull] = gitea.ask("GET", "/repos/acme/app/pulls?state=all")
        assert (pull["head"]["ref"], pull["base"]["ref"], pull["draft"]) == ("agents/lint", "main", True)
        assert pull["body"].startswith("It did.\n\n<!-- autopack-run: ")
    said = first.out + "".join(path.read_text() for path in (here / "runs" / ".kept").rglob("*.json"))
    assert gitea.token not in said
