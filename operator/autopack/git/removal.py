"""Removing a worktree without losing work: save first, ask for proof or force, then take it away."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from autopack.errors import AutopackError, printable
from autopack.failpoints import hit
from autopack.files import random_hex
from autopack.unsaved import Unsaved

from .giving_back import give_back
from .private import drop_private, private_dir, repository_of
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


class _Worktree(NamedTuple):
    """A worktree as it was found: its tree (which may be gone) and what there is of it in git dirs.

    `private` is the git dir of its own, or where that would be; `own` its entry there, `listed` that in the
    repository's list (None: there is none).
    """

    common: Path
    path: Path
    private: Path
    has_private: bool
    own: Registration | None
    listed: Registration | None

    @classmethod
    def at(cls, common: Path, path: Path) -> _Worktree:
        """Look for what there is of the worktree at `path`."""
        private = private_dir(common, path)
        own = registration_of(private, path)
        return cls(common, path, private, private.exists(), own, registration_of(common, path))

    @property
    def exists(self) -> bool:
        """Whether anything stands at its path."""
        return os.path.lexists(self.path)


def save(common: Path, path: Path) -> Saved:
    """Save what only the worktree at `path` has, and leave it as it is. Raises AutopackError."""
    return _save(_Worktree.at(common, path))


def _save(found: _Worktree) -> Saved:
    common, path = found.common, found.path
    if found.has_private:
        return give_back(common, found.private, found.own, path if found.exists else None, path.name)
    return save_work(common, None if found.listed is None else found.listed.admin, path, path.name)


def retire(common: Path, path: Path, *, force: bool) -> Retired:
    """Remove the worktree at `path` (an absolute path) after saving what only it has.

    Without `force` a tree with uncommitted changes, or with commits no ref has, is saved and stays. With it the tree
    goes once it is saved; one that cannot be saved whole is moved to `.unsaved`. What is no worktree of this
    repository, and what a person locked (`git worktree lock`), is never touched. The caller holds the worktree's lease.
    """
    recover(repository_of(common, path), path)
    found = _Worktree.at(common, path)
    if not found.exists and not found.has_private:
        # What a crash left of taking it away.
        drop_private(found.private)
        return Retired(removed=True)
    problem = _why_not_ours(found)
    if problem:
        return Retired(removed=False, problem=problem)
    try:
        saved = _save(found)
    except AutopackError as error:
        if not force:
            return Retired(removed=False, problem=str(error))
        return _set_aside(found, str(error))
    kept = None if saved.sha is None else f"{run_ref(path.name)} ({saved.sha[:12]})"
    if not force and not saved.clean:
        return Retired(removed=False, problem=_why_it_stays(path, saved, kept), kept=kept, saved=saved)
    if saved.unsaved:
        done = _set_aside(found, _names(saved.unsaved), whole=False)
        return Retired(removed=True, problem=done.problem, kept=kept, saved=saved, aside=done.aside)
    if found.has_private:
        discard(path)
        _forget(found)
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
    return _why_not_ours(_Worktree.at(common, path))


def _why_not_ours(found: _Worktree) -> str:
    path, listed = found.path, found.listed
    shown = printable(str(path))
    if found.exists:
        if path.is_symlink() or not path.is_dir():
            return f"{shown} is not a folder; nothing was done"
        if not (found.own or listed or any(_was_ours(repo, path) for repo in (found.private, found.common))):
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


def withdraw(common: Path, path: Path) -> None:
    """Take away a worktree that nobody has worked in yet, with all that was made for it."""
    discard(path)
    _forget(_Worktree.at(common, path))


def _forget(found: _Worktree) -> None:
    """Take the worktree, whose tree is gone, out of the repository's list, and its own git dir away."""
    common = found.common
    with repository_lock(common):
        if found.listed is not None:
            unregister(common, found.listed)
        elif (note := Note.read(found.private / PLAN)) is not None:
            discard_branch(common, note)
        drop_claims(common, found.path.name)
        sweep(common)
    hit("workspace.after_unlisted")
    drop_private(found.private)


def _set_aside(found: _Worktree, why: str, *, whole: bool = True) -> Retired:
    """Move a tree to where nothing is deleted; with `whole` its git dir too, for its commits may be nowhere else."""
    path = found.path
    aside = path.parent / UNSAVED / f"{path.name}-{random_hex(6)}"
    aside.parent.mkdir(exist_ok=True)
    if found.exists:
        path.rename(aside)
    hit("worktree.after_set_aside")
    if whole and found.has_private:
        _move_git_dir(found.private, found.own, aside)
    elif whole and found.listed is not None:
        pin_commits(found.common, found.listed.admin, path.name)
    _forget(found)
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
