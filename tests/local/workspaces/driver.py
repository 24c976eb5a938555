"""One whole life of a run, as a process that tests kill: create, work, remove.

`python -m tests.local.workspaces.driver <repo> <base> <word>`; the word is what the run commits and leaves uncommitted.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.local.workspaces.repos import commit

from autopack.failpoints import hit
from autopack.workspace_lease import WorkspaceLease
from autopack.workspace_manager import Preparation, WorkspaceManager

RUN = "my-run"


def live(repo: Path, base: Path, word: str) -> None:
    """Run once; prints `committed` and `written` as soon as that work exists."""
    preparation = Preparation(setup=[["true"]])
    manager = WorkspaceManager(RUN, repo, base, preparation=preparation)
    workspace = manager.create_worktree(f"autopack/{RUN}", start_point="main")
    with WorkspaceLease(workspace):
        hit("run.before_commit")
        commit(workspace, {"committed.txt": f"committed-{word}"})
        print("committed", flush=True)
        (workspace / "written.txt").write_text(f"written-{word}", "utf-8")
        print("written", flush=True)
        hit("run.after_write")
    if not manager.remove_worktree(force=True):
        raise SystemExit(manager.problem)


if __name__ == "__main__":
    live(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
