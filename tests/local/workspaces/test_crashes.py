"""kill -9 at every step: the next start repairs what is left, and no work is lost."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.local.workspaces.driver import RUN
from tests.local.workspaces.repos import git

import autopack
from autopack.failpoints import VARIABLE
from autopack.git.private import private_dir
from autopack.git.worktree_entries import common_dir, state_dir
from autopack.workspace_manager import WorkspaceManager

ROOT = Path(__file__).parents[3]
CORE = Path(autopack.__file__).parent
FILES = [CORE / "workspace_manager.py", *(CORE / "git").glob("*.py"), *(CORE / "leases").glob("*.py")]
FAILPOINTS = sorted({name for file in FILES for name in re.findall(r'hit\("([^"]+)"\)', file.read_text("utf-8"))})


# Taken only where git cannot save a tree; has a trial of its own.
SET_ASIDE = "worktree.after_set_aside"
STEPS = [name for name in FAILPOINTS if name != SET_ASIDE] + ["run.before_commit", "run.after_write"]


def start(repo: Path, base: Path, word: str, failpoint: str = "") -> subprocess.Popen[str]:
    env = {**os.environ, "AUTONOMOUS_RUNS_DIR": str(base.parent)}
    if failpoint:
        env[VARIABLE] = failpoint
    command = [sys.executable, "-m", "tests.local.workspaces.driver", str(repo), str(base), word]
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def live(repo: Path, base: Path, word: str, failpoint: str = "") -> tuple[int, str]:
    process = start(repo, base, word, failpoint)
    out, err = process.communicate(timeout=120)
    return process.returncode, out + err


def everything_kept(repo: Path) -> str:
    """Return the contents of all versions of the files that any ref reaches."""
    objects = git(repo, "rev-list", "--objects", "--single-worktree", "--all", "--", "committed.txt", "written.txt")
    blobs = [line.split()[0] for line in objects.splitlines() if line.endswith(".txt")]
    return " ".join(git(repo, "cat-file", "-p", blob) for blob in blobs)


def assert_repaired(repo: Path, base: Path) -> None:
    assert not list(base.iterdir())
    assert git(repo, "worktree", "list").count("\n") == 0
    assert not list((repo / ".git/worktrees").glob("*"))
    kinds = {path.name for path in state_dir(common_dir(repo)).iterdir()}
    assert kinds <= {"leases", "worktrees.lock"}
    branches = git(repo, "branch", "--format=%(refname:short)").split()
    assert all(name == "main" or git(repo, "rev-list", f"main..{name}") for name in branches)
    git(repo, "fsck", "--strict")
    leases = [*base.parent.glob(".workspace_leases/*"), *state_dir(common_dir(repo)).glob("leases/*")]
    assert leases
    assert not any(lease.read_bytes() for lease in leases)


def test_all_steps_have_a_failpoint() -> None:
    assert len(FAILPOINTS) >= 20


@pytest.mark.parametrize("name", STEPS)
def test_a_kill_at_a_step_is_repaired_by_the_next_start(repo: Path, tmp_path: Path, name: str) -> None:
    base = tmp_path / "runs/workspaces"
    code, out = live(repo, base, "one", f"{name}:kill")
    if code == 0:
        # Steps that only a repair takes: make something to repair first, then die while repairing it.
        live(repo, base, "zero", "worktree.after_rename:kill")
        code, out = live(repo, base, "one", f"{name}:kill")
    assert code == -signal.SIGKILL, out
    second, err = live(repo, base, "two")
    assert second == 0, err
    assert_repaired(repo, base)
    kept = everything_kept(repo)
    expected = [f"{what}-one" for what in ("committed", "written") if what in out.split()]
    assert all(word in kept for word in [*expected, "committed-two", "written-two"])


@pytest.mark.parametrize("name", STEPS)
def test_after_a_kill_at_a_step_cleaning_up_is_enough(
    repo: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "runs/workspaces"
    monkeypatch.setenv("AUTONOMOUS_RUNS_DIR", str(base.parent))
    _, out = live(repo, base, "one", f"{name}:kill")
    base.mkdir(parents=True, exist_ok=True)
    WorkspaceManager.cleanup_all_worktrees(repo, base)
    assert not list(base.iterdir())
    assert git(repo, "worktree", "list").count("\n") == 0
    kept = everything_kept(repo)
    assert all(f"{what}-one" in kept for what in ("committed", "written") if what in out.split())
    if "committed" not in out.split():
        assert git(repo, "branch", "--format=%(refname:short)") == "main"


@pytest.mark.parametrize("seed", range(12))
def test_a_kill_at_any_moment_is_repaired_though_git_may_live_on(repo: Path, tmp_path: Path, seed: int) -> None:
    base = tmp_path / "runs/workspaces"
    process = start(repo, base, "one")
    time.sleep(random.Random(seed).uniform(0.15, 0.8))  # noqa: S311 - a moment, no secret
    process.kill()
    out, _ = process.communicate()
    code, err = live(repo, base, "two")
    assert code == 0, err
    assert_repaired(repo, base)
    kept = everything_kept(repo)
    assert all(f"{what}-one" in kept for what in ("committed", "written") if what in out.split())


def test_only_the_named_run_is_in_the_repository(repo: Path, tmp_path: Path) -> None:
    base = tmp_path / "runs/workspaces"
    assert live(repo, base, "one")[0] == 0
    refs = git(repo, "for-each-ref", "--format=%(refname)").split()
    assert refs == [f"refs/autopack/{RUN}", f"refs/heads/autopack/{RUN}", "refs/heads/main"]


def test_a_kill_while_a_tree_that_git_cannot_save_is_set_aside_loses_nothing(repo: Path, tmp_path: Path) -> None:
    base = tmp_path / "runs/workspaces"
    live(repo, base, "one", "run.after_write:kill")
    (private_dir(common_dir(repo), base / RUN) / f"worktrees/{RUN}/HEAD").unlink()
    code, out = live(repo, base, "two", f"{SET_ASIDE}:kill")
    assert code == -signal.SIGKILL, out
    code, out = live(repo, base, "three")
    assert code == 0, out
    assert [path.read_text("utf-8") for path in base.glob(f".unsaved/{RUN}-*/written.txt")] == ["written-one"]
    assert git(repo, "worktree", "list").count("\n") == 0
    assert "committed-one" in everything_kept(repo)
