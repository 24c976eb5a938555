"""Cleaning up after runs."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from tests.local.workspaces.repos import git, head

from autopack.git.worktree_entries import common_dir
from autopack.workspace_lease import WorkspaceLease
from autopack.workspace_manager import WorkspaceManager
from autopack.worktree_cleanup import cleanup_worktrees, last_touched

DAY = 86_400.0


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTONOMOUS_RUNS_DIR", str(tmp_path))


@pytest.fixture
def base(repo: Path, tmp_path: Path) -> Path:
    """A folder with the worktrees of three runs, one of them with uncommitted work."""
    base = tmp_path / "workspaces"
    for number in range(3):
        WorkspaceManager(f"run-{number}", repo, base, cleanup_on_exit=False).create_worktree()
    (base / "run-1/work").write_text("mine", "utf-8")
    return base


def test_all_go_and_their_work_is_kept(repo: Path, base: Path) -> None:
    assert WorkspaceManager.cleanup_all_worktrees(repo, base) == 3
    assert not list(base.iterdir())
    assert git(repo, "show", "refs/autopack/run-1:work") == "mine"
    assert git(repo, "worktree", "list").count("\n") == 0


def test_a_worktree_at_work_stays(repo: Path, base: Path) -> None:
    with WorkspaceLease(base / "run-1"):
        assert WorkspaceManager.cleanup_all_worktrees(repo, base) == 2
    assert (base / "run-1/work").exists()


def test_a_worktree_that_another_process_manages_stays(repo: Path, tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from autopack.workspace_manager import WorkspaceManager\n"
        "WorkspaceManager('x', Path(sys.argv[1]), Path(sys.argv[2])).create_worktree(); print('up', flush=True)\n"
        "time.sleep(60)"
    )
    base = tmp_path / "workspaces"
    process = subprocess.Popen([sys.executable, "-c", program, repo, base], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        items = cleanup_worktrees(repo, base)
        assert [item.removed for item in items] == [False]
        assert "already held" in items[0].detail
        assert (base / "x/README.md").exists()
    finally:
        process.kill()
        process.communicate()
    assert WorkspaceManager.cleanup_all_worktrees(repo, base) == 1


def test_other_folders_stay(repo: Path, base: Path) -> None:
    (base / "notes").mkdir()
    items = cleanup_worktrees(repo, base)
    assert {item.path.name for item in items if not item.removed} == {"notes"}


def test_a_dry_run_changes_nothing_and_says_what_would_go(repo: Path, base: Path) -> None:
    (base / "notes").mkdir()
    for number in range(3):
        WorkspaceManager(f"run-{number}", repo, base)
    items = cleanup_worktrees(repo, base, dry_run=True)
    assert {item.path.name: item.removed for item in items}["notes"] is False
    assert sorted(path.name for path in base.iterdir()) == ["notes", "run-0", "run-1", "run-2"]


def test_only_the_old_go(repo: Path, base: Path) -> None:
    touched = last_touched(common_dir(repo), base / "run-0")
    items = cleanup_worktrees(repo, base, timedelta(days=1), now=touched + DAY / 2)
    assert not any(item.removed for item in items)
    items = cleanup_worktrees(repo, base, timedelta(days=1), now=time.time() + DAY + 60)
    assert all(item.removed for item in items)


def test_the_remains_of_a_crash_go_too(repo: Path, tmp_path: Path) -> None:
    base = tmp_path / "workspaces"
    scaffold = base / ".tmp-dead-0123456789ab"
    scaffold.mkdir(parents=True)
    git(repo, "worktree", "add", "-q", "--lock", "-b", "autopack/dead", str(scaffold / "tree/dead"))
    (scaffold / "autopack-plan.json").write_text(
        f'{{"sha": "{head(repo)}", "branch": "autopack/dead", "own_branch": true}}', "utf-8"
    )
    WorkspaceManager.cleanup_all_worktrees(repo, base)
    assert not list(base.iterdir())
    assert git(repo, "worktree", "list").count("\n") == 0
    assert not git(repo, "branch", "--list", "autopack/dead")


def test_there_may_be_nothing_to_clean(repo: Path, tmp_path: Path) -> None:
    assert WorkspaceManager.cleanup_all_worktrees(repo, tmp_path / "none") == 0
