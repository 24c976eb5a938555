"""Many processes on one repository at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.local.workspaces.repos import commit, git

from autopack.git.worktree_entries import common_dir, registrations

PROCESSES = 64
PROGRAM = """
import sys
from pathlib import Path
from autopack.workspace_manager import WorkspaceManager
repo, base, number, branch = sys.argv[1:]
manager = WorkspaceManager(f"run-{number}", Path(repo), Path(base))
print("ready", flush=True)
sys.stdin.readline()
print(manager.create_worktree(branch or None), manager.branch, flush=True)
sys.stdin.readline()
assert manager.remove_worktree(force=True), manager.problem
"""


@pytest.mark.parametrize("branch", ["", "main"], ids=["detached", "one branch for all"])
def test_64_processes_create_and_remove_at_once(repo: Path, tmp_path: Path, branch: str) -> None:
    commit(repo, {f"dir{number % 7}/file{number}": f"{number}\n" for number in range(200)})
    base = tmp_path / "runs/workspaces"
    env = {**os.environ, "AUTONOMOUS_RUNS_DIR": str(base.parent)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(repo), str(base), str(number), branch],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    # All have started before any begins, and all have made theirs before any removes.
    assert [read(process) for process in processes] == [["ready"]] * PROCESSES
    for process in processes:
        go(process)
    made = [read(process) for process in processes]
    trees = {Path(answer[0]) for answer in made if len(answer) == 2}
    failures = [
        process.stderr.read() for process, answer in zip(processes, made, strict=True) if not answer and process.stderr
    ]
    assert not failures, failures[0]
    assert len(trees) == PROCESSES
    assert all(len(list(tree.glob("dir*/file*"))) == 200 for tree in trees)
    assert not any(git(tree, "status", "--porcelain") for tree in trees)
    if branch:
        assert {answer[1] for answer in made} == {f"autopack/run-{number}" for number in range(PROCESSES)}
    assert git(repo, "worktree", "list").count("\n") == PROCESSES
    git(repo, "fsck", "--strict")
    for process in processes:
        go(process)
    ended = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * PROCESSES, ended
    assert not list(base.iterdir())
    assert not list(registrations(common_dir(repo)))
    git(repo, "fsck", "--strict")


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def read(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    return process.stdout.readline().split()
