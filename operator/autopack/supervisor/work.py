"""The git side of a run that has ended: where its branch is, and what it had not committed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autopack.git.runner import run_git
from autopack.git.save import run_ref, save_work
from autopack.git.worktree_entries import common_dir, registration_of
from autopack.workspace_manager import WorkspaceManager


@dataclass(frozen=True)
class Work:
    """What a run leaves: its branch at the commit `head`, and what was not committed as the commit `snapshot`.

    `branch` is None when HEAD was detached, and when nothing was committed: an empty branch goes with its worktree.
    """

    branch: str | None
    head: str | None
    snapshot: str | None
    problem: str = ""


def resolve_commit(repo: Path, name: str) -> str | None:
    """Return the full id of the commit that a name stands for in a repository."""
    found = run_git(["rev-parse", "--quiet", "--verify", f"{name}^{{commit}}"], cwd=repo, check=False)
    return found.text if found.returncode == 0 else None


def tree_bytes(repo: Path, sha: str) -> int:
    """Return the sum of the sizes of all files of a commit."""
    listed = run_git(["ls-tree", "-r", "-l", "-z", "--full-tree", sha], cwd=repo).stdout
    sizes = (row.split(b"\t", 1)[0].rsplit(b" ", 1)[-1] for row in listed.split(b"\0") if row)
    return sum(int(size) for size in sizes if size.isdigit())


def close_workspace(manager: WorkspaceManager, *, keep: bool) -> Work:
    """Save what a run left in its worktree, then remove that unless it is to be kept, and give up the claim on it.

    The run's command has ended and nobody holds the workspace lease. Raises AutopackError when the work of a worktree
    that is kept cannot be saved; it is still in its folder then.
    """
    path = manager.worktree_path
    common = common_dir(manager.source_repo)
    entry = registration_of(common, path)
    try:
        branch = None if entry is None else entry.branch
        # Asked of the private git dir: a run that destroyed its .git file must not be answered by a repository above.
        head = None if entry is None else resolve_commit(entry.admin, "HEAD")
        if keep:
            save_work(common, None if entry is None else entry.admin, path, path.name)
        else:
            manager.remove_worktree(force=True)
        if branch is not None and resolve_commit(common, f"refs/heads/{branch}") is None:
            branch = None
        return Work(branch, head, resolve_commit(common, run_ref(path.name)), manager.problem)
    finally:
        manager.release()
