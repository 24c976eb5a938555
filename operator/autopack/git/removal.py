"""Removing a worktree without losing work: save first, ask for proof or force, then take it away."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from autopack.errors import AutopackError, printable
from autopack.failpoints import hit
from autopack.files import random_hex

from .save import pin_commits, run_ref, save_work
from .worktree import recover, remove_worktree
from .worktree_entries import Registration, registration_of, repository_lock, unregister

UNSAVED = ".unsaved"
"""The folder beside the worktrees for trees whose files git could not save; nothing is ever deleted there."""


@dataclass(frozen=True)
class Retired:
    """What became of a worktree: whether its place is free now; if not, why; and where what it held is kept."""

    removed: bool
    problem: str = ""
    kept: str | None = None


def retire(common: Path, path: Path, *, force: bool) -> Retired:
    """Remove the worktree at `path` (an absolute path) after saving what only it has.

    Without `force` a tree with uncommitted changes, or with commits no ref has, is saved and stays. With it the tree
    goes once it is saved; one that cannot be saved is moved to `.unsaved`. What is no worktree of this repository, and
    what a person locked (`git worktree lock`), is never touched. The caller holds the worktree's lease.
    """
    recover(common, path)
    if not os.path.lexists(path):
        return Retired(removed=True)
    problem = not_ours(common, path)
    if problem:
        return Retired(removed=False, problem=problem)
    entry = registration_of(common, path)
    try:
        saved = save_work(common, None if entry is None else entry.admin, path, path.name)
    except AutopackError as error:
        if not force:
            return Retired(removed=False, problem=str(error))
        return _set_aside(common, path, entry, error)
    kept = None if saved.sha is None else f"{run_ref(path.name)} ({saved.sha[:12]})"
    if not force and (saved.dirty or saved.only_here):
        what = "uncommitted changes" if saved.dirty else "commits that no branch has"
        problem = f"{printable(str(path))} has {what}; they are saved as {kept}. Commit them, or remove it by force"
        return Retired(removed=False, problem=problem, kept=kept)
    remove_worktree(common, path)
    return Retired(removed=True, kept=kept)


def not_ours(common: Path, path: Path) -> str:
    """Say why what stands at `path` must not be touched: it is no worktree of the repository, or locked. Else ""."""
    entry = registration_of(common, path)
    shown = printable(str(path))
    if path.is_symlink() or not path.is_dir():
        return f"{shown} is not a folder; nothing was done"
    if entry is None and not _was_ours(common, path):
        return f"{shown} is not a worktree of this repository; nothing was done"
    if entry is not None and entry.lock_reason is not None:
        return f"{shown} is locked ({printable(entry.lock_reason, 100)}); unlock it with git worktree unlock"
    return ""


def _was_ours(common: Path, path: Path) -> bool:
    """Tell whether a tree points into this repository's list, from where it has vanished (`git worktree prune`)."""
    try:
        pointer = os.fsdecode((path / ".git").read_bytes()).strip()
    except OSError:
        return False
    target = Path(pointer.removeprefix("gitdir: "))
    return pointer.startswith("gitdir: ") and target.parent.resolve() == (common / "worktrees").resolve()


def _set_aside(common: Path, path: Path, entry: Registration | None, error: AutopackError) -> Retired:
    aside = path.parent / UNSAVED / f"{path.name}-{random_hex(6)}"
    aside.parent.mkdir(exist_ok=True)
    path.rename(aside)
    hit("worktree.after_set_aside")
    if entry is not None:
        pin_commits(common, entry.admin, path.name)
        with repository_lock(common):
            unregister(common, entry)
    return Retired(removed=True, problem=str(error), kept=str(aside))
