"""The init container."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.local.workspaces.repos import started, trace_git

from .conftest import Pod, git

FAILPOINTS = [
    "workspace.after_clear",
    "workspace.after_repo",
    "worktree.after_branch",
    "worktree.after_written",
    "worktree.after_claim",
    "worktree.after_enlisted",
    "worktree.after_ready",
    "workspace.after_worktree",
]


def test_it_is_a_clean_worktree_on_the_branch(ready: Pod) -> None:
    assert ready.init() == 0
    assert git("status", "--porcelain", cwd=ready.workspace) == ""
    assert git("symbolic-ref", "HEAD", cwd=ready.workspace) == "refs/heads/autopack/fix-it"
    assert git("rev-parse", "HEAD", cwd=ready.workspace) == ready.env["AUTOPACK_SHA"]


@pytest.mark.parametrize(
    ("missing", "exit_code", "said"),
    [
        ("secret/agent/api-key", 21, "Secret 'agent' does not exist, or has no key 'api-key'"),
        ("configmap/tools/mcp.json", 22, "ConfigMap 'tools' does not exist, or has no key 'mcp.json'"),
    ],
)
def test_a_file_that_the_profile_names_and_nobody_made_is_told_of_first(
    ready: Pod, tmp_path: Path, missing: str, exit_code: int, said: str
) -> None:
    paths = ["configmap/tools/mcp.json", "secret/agent/api-key"]
    for path in paths:
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("x")
    pod = ready.with_env(AUTOPACK_FILES=str(tmp_path), AUTOPACK_BOUND_FILES=":".join(paths))
    (tmp_path / missing).unlink()
    assert pod.init() == exit_code
    assert said in Path(pod.env["AUTOPACK_TERMINATION_LOG"]).read_text()
    assert not (pod.workspace / ".git").exists()
    (tmp_path / missing).write_text("x")
    assert pod.init() == 0


def test_it_takes_two_git_processes(ready: Pod, tmp_path: Path) -> None:
    log = trace_git(tmp_path / "home")
    assert ready.with_env(HOME=str(tmp_path / "home")).init() == 0
    assert started(log) == ["update-ref", "reset"]


def test_what_the_command_checks_out_takes_no_core_from_other_runs(ready: Pod) -> None:
    ready.init()
    assert "checkout.workers" not in git("config", "--list", "--name-only", cwd=ready.workspace).split()


@pytest.mark.parametrize("branch", ["main", "master", "autopack-none"])
def test_any_branch_name_will_do(ready: Pod, branch: str) -> None:
    pod = ready.with_env(AUTOPACK_BRANCH=branch)
    assert pod.init() == 0
    assert git("symbolic-ref", "--short", "HEAD", cwd=pod.workspace) == branch


def test_objects_are_the_mirrors(ready: Pod) -> None:
    ready.init()
    alternates = (ready.files.repo / "objects/info/alternates").read_text()
    assert alternates == f"{ready.env['AUTOPACK_MIRROR']}/objects\n"
    assert git("count-objects", cwd=ready.workspace).startswith("0 objects")


def test_the_entrypoint_is_where_the_command_finds_it(ready: Pod) -> None:
    ready.init()
    assert os.access(Path(ready.env["AUTOPACK_BIN"]) / "autopack-entrypoint", os.X_OK)


def test_the_command_has_an_account_and_a_home(ready: Pod) -> None:
    ready.with_env(HOME="/tmp").init()
    files = [(Path(ready.env["AUTOPACK_BIN"]) / name).read_text().splitlines() for name in ("passwd", "group")]
    uid, gid = os.getuid(), os.getgid()
    assert files[0][-1] == f"autopack:x:{uid}:{gid}:Autopack run:/tmp:/bin/sh"
    assert files[1][-1] == f"autopack:x:{gid}:"


@pytest.mark.parametrize(
    ("given", "name"),
    [("", "autopack-run@invalid"), ("git config user.email a@b;", "a@b"), ("export GIT_AUTHOR_EMAIL=c@d;", "c@d")],
)
def test_who_commits_is_known_in_any_repository_and_can_be_said_by_the_run(ready: Pod, given: str, name: str) -> None:
    ready.init()
    script = f"git init -q inner; cd inner; {given} git commit -q --allow-empty -m x; git log -1 --format=%ae"
    assert ready.run(script) == 0
    assert (ready.artifacts / "logs/stdout.log").read_text() == f"{name}\n"


def test_run_again_it_leaves_the_workspace_alone(ready: Pod) -> None:
    ready.init()
    (ready.workspace / "work").write_text("mine")
    assert ready.init() == 0
    assert (ready.workspace / "work").read_text() == "mine"


@pytest.mark.parametrize("failpoint", FAILPOINTS)
def test_killed_anywhere_it_is_repaired_by_running_again(ready: Pod, failpoint: str) -> None:
    assert ready.with_env(AUTOPACK_FAILPOINT=f"{failpoint}:kill").init() == -9
    assert not ready.files.ready_marker.exists()
    assert ready.init() == 0
    assert git("status", "--porcelain", cwd=ready.workspace) == ""


def test_a_workspace_in_which_a_command_began_is_never_cleared(ready: Pod) -> None:
    ready.init()
    ready.run("echo work > work")
    ready.files.ready_marker.unlink()
    assert ready.init() == 20
    assert (ready.workspace / "work").read_text() == "work\n"


def test_a_failure_is_said_where_kubernetes_shows_it(ready: Pod) -> None:
    pod = ready.with_env(AUTOPACK_SHA="0" * 40)
    assert pod.init() == 20
    assert "0000000" in Path(pod.env["AUTOPACK_TERMINATION_LOG"]).read_text()


def test_a_missing_variable_is_named(ready: Pod) -> None:
    pod = ready.with_env(AUTOPACK_MIRROR="")
    assert pod.init() == 20
    assert "AUTOPACK_MIRROR" in Path(pod.env["AUTOPACK_TERMINATION_LOG"]).read_text()
