"""The git side of a run that has ended: where its branch is, and what it had not committed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autopack.errors import printable
from autopack.git.removal import save
from autopack.git.save import Saved
from autopack.git.worktree_entries import common_dir
from autopack.unsaved import Saved as How
from autopack.unsaved import Unsaved
from autopack.workspace_manager import WorkspaceManager


@dataclass(frozen=True)
class Work:
    """What a run leaves: its branch, the commit `head` where it ended, and the commit `snapshot` of uncommitted files.

    `branch` is None when no branch of the repository has `head`, and when nothing was committed: an empty branch goes
    with its worktree. `snapshot` is then `head` itself, if the run's own ref has it. `saved` says how much of the work
    is kept, `unsaved` what is not; `history_ref` keeps what neither of them has.
    `problem` is "" when all went well.
    """

    branch: str | None
    head: str | None
    snapshot: str | None
    problem: str = ""
    saved: How = "all"
    unsaved: tuple[Unsaved, ...] = ()
    history_ref: str | None = None


def close_workspace(manager: WorkspaceManager, *, keep: bool) -> Work:
    """Save what a run left in its worktree, then remove that unless it is to be kept, and give up the claim on it.

    The run's command has ended and nobody holds the workspace lease. Raises AutopackError when the work of a worktree
    that is kept cannot be saved; it is still in its folder then.
    """
    path = manager.worktree_path
    common = common_dir(manager.source_repo)
    try:
        if keep:
            manager.saved = save(common, path)
        else:
            manager.remove_worktree(force=True)
        if manager.saved is None:
            unsaved = (Unsaved(path=str(path), bytes=None, reason=manager.problem),) if manager.problem else ()
            return Work(None, None, None, manager.problem, "none" if unsaved else "all", unsaved)
        return _work_of(manager.saved, manager.problem, manager.aside)
    finally:
        manager.release()


def _work_of(saved: Saved, problem: str, aside: Path | None) -> Work:
    where = "" if aside is None else f"; it is in {printable(str(aside), 300)}"
    unsaved = tuple(Unsaved({**one, "reason": one["reason"] + where}) for one in saved.unsaved)
    last = saved.sha if saved.snapshot is not None or saved.only_here else None
    return Work(saved.branch, saved.head, last, problem, "partly" if unsaved else "all", unsaved, saved.history_ref)
