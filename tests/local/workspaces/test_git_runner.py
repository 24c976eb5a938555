"""Git is called so that neither the environment nor the repository can redirect it."""

import time
from pathlib import Path

import pytest
from tests.local.workspaces.repos import git

from autopack.errors import AutopackError
from autopack.git.runner import GitError, run_git


def test_inherited_git_variables_do_not_reach_git(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    assert run_git(["rev-parse", "--is-inside-work-tree"], cwd=repo).text == "true"


def test_hooks_of_the_repository_do_not_run(repo: Path, tmp_path: Path) -> None:
    hook = repo / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", "utf-8")
    hook.chmod(0o755)
    git(repo, "commit", "-q", "--allow-empty", "-m", "x")
    assert not (tmp_path / "ran").exists()


def test_a_planted_fsmonitor_does_not_run(repo: Path, tmp_path: Path) -> None:
    script = tmp_path / "monitor"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", "utf-8")
    script.chmod(0o755)
    git(repo, "config", "core.fsmonitor", str(script))
    run_git(["status"], cwd=repo)
    assert not (tmp_path / "ran").exists()


def test_a_failure_is_one_line_without_credentials(repo: Path) -> None:
    with pytest.raises(GitError) as caught:
        run_git(["fetch", "ftp://user:secret@host.invalid/x"], cwd=repo)
    assert "secret" not in str(caught.value)
    assert str(caught.value).isprintable()


def test_the_protocol_of_local_files_must_be_asked_for(repo: Path) -> None:
    with pytest.raises(GitError, match="not allowed"):
        run_git(["ls-remote", repo.as_uri()], cwd=repo)
    assert run_git(["ls-remote", repo.as_uri()], cwd=repo, protocols=("file",)).returncode == 0


def test_a_timeout_ends_git_and_its_children(repo: Path) -> None:
    started = time.monotonic()
    with pytest.raises(GitError) as caught:
        run_git(["-c", "alias.nap=!sleep 60", "nap"], cwd=repo, timeout=0.3)
    assert caught.value.reason == "GitTimeout"
    assert time.monotonic() - started < 10


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(AutopackError, match="does not exist"):
        run_git(["status"], cwd=tmp_path / "gone")


def test_a_missing_git_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AutopackError) as caught:
        run_git(["status"], cwd=tmp_path)
    assert caught.value.reason == "GitMissing"


def test_a_failure_names_the_command_and_not_its_settings(repo: Path) -> None:
    with pytest.raises(GitError, match=r"git worktree add failed \(128\)"):
        run_git(["-c", "a.b=c", "worktree", "add", "--lock", "--", "x", "0" * 40], cwd=repo)
