"""Runs of somebody who is not root: what they cannot read or remove themselves is saved and removed all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.local.nothing_lost.agents import Agents, shell
from tests.local.supervisor.scene import clean_environment

_RIGHTS = "-dac_override,-dac_read_search"
# Root without the rights that make it root among files: the mode of a file holds for it as for everybody else.
DROP = ("setpriv", f"--bounding-set={_RIGHTS}", f"--inh-caps={_RIGHTS}") if os.geteuid() == 0 else ("env",)


@pytest.fixture(autouse=True)
def _removable(tmp_path: Path) -> Iterator[None]:
    """Whatever a test left can be removed with its folder."""
    yield
    subprocess.run(["chmod", "-R", "u+rwX", str(tmp_path)], check=False)


def autopack(agents: Agents, argv: list[str]) -> str:
    """Run a command without root's rights and return what it printed."""
    scene = agents.scene
    env = clean_environment({"HOME": str(scene.root)})
    done = subprocess.run(
        [*DROP, *argv], capture_output=True, text=True, env=env, timeout=100, check=False, cwd=scene.root
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def work(agents: Agents, script: str, *flags: str) -> str:
    argv = agents.scene.argv(["run-1"], "--per-run-sqlite", "--command", shell(script), *flags)
    return autopack(agents, argv)


def cleanup(agents: Agents) -> str:
    places = ("--source-repo", str(agents.repo), "--autonomous-runs-dir", str(agents.scene.runs))
    return autopack(agents, [sys.executable, "-m", "autopack.cli", "worktrees", "cleanup", *places])


def left(agents: Agents) -> list[Path]:
    """Return what still lies among the worktrees."""
    base = agents.scene.runs / "workspaces"
    return [path for path in base.rglob("*") if path.name != ".trash"] if base.exists() else []


def test_a_folder_that_its_owner_may_not_read(agents: Agents) -> None:
    work(agents, "echo precious >src/a.py; echo new >src/b.py; echo other >c.py; chmod 000 src")
    assert agents.lost("precious\n", "new\n", "other\n") == []


def test_a_file_that_its_owner_may_not_read(agents: Agents) -> None:
    work(agents, "echo precious >src/a.py; echo other >c.py; chmod 000 src/a.py")
    assert agents.lost("precious\n", "other\n") == []


def test_an_unreadable_folder_in_an_inner_repository(agents: Agents) -> None:
    work(agents, "git init -q fe; cd fe; mkdir d; echo A >d/a; git add d; git commit -qm a; echo B >d/b; chmod 000 d")
    assert agents.lost("A\n", "B\n") == []


@pytest.mark.parametrize("mode", ["555", "000"])
def test_folders_that_may_not_be_written_do_not_fill_the_trash(agents: Agents, mode: str) -> None:
    work(agents, f"mkdir -p ro/deep; echo A >ro/deep/a; echo B >ro/b; chmod {mode} ro/deep ro")
    assert left(agents) == []
    assert agents.lost("A\n", "B\n") == []


def test_a_cleanup_removes_a_worktree_with_folders_that_may_not_be_written(agents: Agents) -> None:
    work(agents, "mkdir -p ro; echo A >ro/a; chmod 555 ro", "--keep-worktrees", "all")
    assert "removed" in cleanup(agents)
    assert left(agents) == []
    assert agents.lost("A\n") == []


def test_a_run_that_locks_its_worktree_is_saved_and_can_run_again(agents: Agents) -> None:
    work(agents, "echo A >n; git worktree lock .")
    assert agents.lost("A\n") == []
    work(agents, "echo B >n", "--redo-existing")
    assert agents.lost("A\n", "B\n") == []
