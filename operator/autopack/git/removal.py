"""Removing a worktree without losing work: save first, ask for proof or force, then take it away."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from autopack.errors import AutopackError, printable
from autopack.failpoints import hit
from autopack.files import random_hex
from autopack.unsaved import Unsaved

from .giving_back import give_back
from .private import drop_private, private_dir
from .save import Saved, pin_commits, run_ref, save_work
from .worktree import discard, recover, remove_worktree
from .worktree_entries import (
    PLAN,
    Note,
    Registration,
    discard_branch,
    drop_claims,
    registration_of,
    repository_lock,
    sweep,
    unregister,
)

UNSAVED = ".unsaved"
"""The folder beside the worktrees for trees whose files git could not save; nothing is ever deleted there."""


@dataclass(frozen=True)
class Retired:
    """What became of a worktree: whether its place is free now; if not, why; and where what it held is kept.

    `saved` is what was saved (None: nothing was there, or nothing could be); `aside` the folder in which the tree lies
    now because not everything in it could be saved.
    """

    removed: bool
    problem: str = ""
    kept: str | None = None
    saved: Saved | None = None
    aside: Path | None = None


def save(common: Path, path: Path) -> Saved:
    """Save what only the worktree at `path` has, and leave it as it is. Raises AutopackError."""
    private = private_dir(common, path)
    if private.exists():
        return give_back(common, private, registration_of(private, path), _there(path), path.name)
    entry = registration_of(common, path)
    return save_work(common, None if entry is None else entry.admin, path, path.name)


def retire(common: Path, path: Path, *, force: bool) -> Retired:
    """Remove the worktree at `path` (an absolute path) after saving what only it has.

    Without `force` a tree with uncommitted changes, or with commits no ref has, is saved and stays. With it the tree
    goes once it is saved; one that cannot be saved whole is moved to `.unsaved`. What is no worktree of this
    repository, and what a person locked (`git worktree lock`), is never touched. The caller holds the worktree's lease.
    """
    private = private_dir(common, path)
    has_private = private.exists()
    recover(private if has_private else common, path)
    if not os.path.lexists(path) and not has_private:
        # What a crash left of taking it away.
        drop_private(private)
        return Retired(removed=True)
    problem = not_ours(common, path)
    if problem:
        return Retired(removed=False, problem=problem)
    try:
        saved = save(common, path)
    except AutopackError as error:
        if not force:
            return Retired(removed=False, problem=str(error))
        return _set_aside(common, path, str(error))
    kept = None if saved.sha is None else f"{run_ref(path.name)} ({saved.sha[:12]})"
    if not force and not saved.clean:
        return Retired(removed=False, problem=_why_it_stays(path, saved, kept), kept=kept, saved=saved)
    if saved.unsaved:
        done = _set_aside(common, path, _names(saved.unsaved), whole=False)
        return Retired(removed=True, problem=done.problem, kept=kept, saved=saved, aside=done.aside)
    if has_private:
        discard(path)
        _forget(common, path)
    else:
        remove_worktree(common, path)
    return Retired(removed=True, kept=kept, saved=saved)


def _why_it_stays(path: Path, saved: Saved, kept: str | None) -> str:
    shown = printable(str(path))
    if saved.unsaved:
        return f"{shown} has files that cannot be saved: {_names(saved.unsaved)}"
    what = "uncommitted changes" if saved.snapshot is not None else "commits that no branch has"
    return f"{shown} has {what}; they are saved as {kept}. Commit them, or remove it by force"


def _names(left_out: tuple[Unsaved, ...]) -> str:
    first = left_out[0]
    more = f", and {len(left_out) - 1} more" if len(left_out) > 1 else ""
    return f"{first['path']} ({first['reason']}){more}"


def not_ours(common: Path, path: Path) -> str:
    """Say why what stands at `path` must not be touched: it is no worktree of the repository, or locked. Else ""."""
    private = private_dir(common, path)
    listed = registration_of(common, path)
    shown = printable(str(path))
    if os.path.lexists(path):
        if path.is_symlink() or not path.is_dir():
            return f"{shown} is not a folder; nothing was done"
        repositories = [private, common]
        if not any(registration_of(repo, path) or _was_ours(repo, path) for repo in repositories):
            return f"{shown} is not a worktree of this repository; nothing was done"
    if listed is not None and listed.lock_reason is not None and not listed.half_made:
        return f"{shown} is locked ({printable(listed.lock_reason, 100)}); unlock it with git worktree unlock"
    return ""


def _was_ours(common: Path, path: Path) -> bool:
    """Tell whether a tree points into this repository's list, from where it has vanished (`git worktree prune`)."""
    try:
        pointer = os.fsdecode((path / ".git").read_bytes()).strip()
    except OSError:
        return False
    target = Path(pointer.removeprefix("gitdir: "))
    return pointer.startswith("gitdir: ") and target.parent.resolve() == (common / "worktrees").resolve()


def _there(path: Path) -> Path | None:
    return path if os.path.lexists(path) else None


def withdraw(common: Path, path: Path) -> None:
    """Take away a worktree that nobody has worked in yet, with all that was made for it."""
    discard(path)
    _forget(common, path)


def _forget(common: Path, path: Path) -> None:
    """Take the worktree, whose tree is gone, out of the repository's list, and its own git dir away."""
    private = private_dir(common, path)
    listed = registration_of(common, path)
    note = Note.read(private / PLAN)
    with repository_lock(common):
        if listed is not None:
            unregister(common, listed)
        elif note is not None:
            discard_branch(common, note)
        drop_claims(common, path.name)
        sweep(common)
    hit("workspace.after_unlisted")
    drop_private(private)


def _set_aside(common: Path, path: Path, why: str, *, whole: bool = True) -> Retired:
    """Move a tree to where nothing is deleted; with `whole` its git dir too, for its commits may be nowhere else."""
    aside = path.parent / UNSAVED / f"{path.name}-{random_hex(6)}"
    aside.parent.mkdir(exist_ok=True)
    private = private_dir(common, path)
    listed = registration_of(common, path)
    if os.path.lexists(path):
        path.rename(aside)
    hit("worktree.after_set_aside")
    if whole and private.exists():
        _move_git_dir(private, registration_of(private, path), aside)
    elif whole and listed is not None:
        pin_commits(common, listed.admin, path.name)
    _forget(common, path)
    problem = f"not everything could be saved, so the tree was moved to {printable(str(aside))}: {why}"
    return Retired(removed=True, problem=problem, kept=str(aside), aside=aside)


def _move_git_dir(private: Path, entry: Registration | None, aside: Path) -> None:
    """Put a run's git dir beside its tree, so that git still works there."""
    target = aside.with_name(f"{aside.name}.git")
    # Perhaps on another file system than the repository.
    shutil.move(private, target)
    if entry is not None:
        admin = target / "worktrees" / entry.admin.name
        with contextlib.suppress(OSError):
            (admin / "gitdir").write_bytes(os.fsencode(aside / ".git") + b"\n")
            if (aside / ".git").is_file():
                (aside / ".git").write_bytes(b"gitdir: " + os.fsencode(admin) + b"\n")
