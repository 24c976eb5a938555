"""Adding and removing worktrees so that many processes can do it at once and a crash anywhere is repaired by a retry.

`git worktree add` itself fails when called at the same time in one repository (config.lock, a half-written commondir
that ends any command listing worktrees). So the part that touches the shared git dir (`enlisting`) is done under a
lock, without a checkout; the checkout, which takes the time, is done outside it. The tree is made under a temporary
name and renamed when complete: whatever stands at the final path is a whole tree.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from autopack.cores import idle_cores
from autopack.errors import AutopackError, WorkspaceError, printable
from autopack.failpoints import hit
from autopack.files import TEMPORARY_PREFIX, move_into_folder, names_in, random_hex, sync_directory, write_atomic
from autopack.trees import remove_tree

from .enlisting import enlist
from .locks import file_lock
from .runner import run_git
from .save import pin_commits
from .worktree_entries import (
    PLAN,
    READY,
    Note,
    Registration,
    common_dir,
    discard_branch,
    drop_claims,
    real,
    registration_of,
    registrations,
    repository_lock,
    sweep,
    unregister,
)

_TRASH = ".trash"
_TREE = "tree"
"""The folder in a scaffold for the tree alone: a run may be called like a file of ours."""
# Unpacking is what a checkout spends its time on: a single one gains from helpers, many at once only lose by them.
# Pods do not see each other's trees; that others are busy shows by the cores.
_CHECKOUT_WORKERS = 4
_TOKEN_BYTES = 6
_SCAFFOLD = re.compile(rf"{re.escape(TEMPORARY_PREFIX)}(.+)-[0-9a-f]{{{2 * _TOKEN_BYTES}}}", re.DOTALL)


def add_worktree(
    repo: Path,
    path: Path,
    sha: str,
    branch: str | None = None,
    *,
    own_branch: bool = False,
    in_place: bool = False,
    lock_timeout: float = 300,
) -> None:
    """Make a worktree of `repo` at `path`, at the commit `sha` (full id).

    `branch` is created there or moved there (`-B`): the caller has made sure that nothing is lost by it. Without it
    HEAD is detached. `own_branch` says that the branch is made for this worktree and goes with it unless something is
    committed. `in_place` is for a `path` that is an existing, empty mount point and so cannot be renamed to. The caller
    holds whatever keeps others from `path`; leftovers of earlier attempts at the same path are removed.

    Raises WorkspaceError WorkspaceExists when something stands at `path`, GitError or LockTimeout when it cannot be
    made; the next call then starts over.
    """
    path = path.absolute()
    common = common_dir(repo)
    path.parent.mkdir(parents=True, exist_ok=True)
    recover(common, path, in_place=in_place, timeout=lock_timeout)
    if os.path.lexists(path) and not (in_place and path.is_dir() and not any(path.iterdir())):
        fix = "Remove it, or choose another run id"
        raise WorkspaceError("WorkspaceExists", f"git worktree add failed: {printable(str(path))} already exists", fix)
    note = Note(sha, branch, own_branch)
    make = _fill if in_place else _build_and_rename
    try:
        admin = make(common, path, note, lock_timeout)
    except BaseException:
        with contextlib.suppress(AutopackError, OSError):
            recover(common, path, in_place=in_place, timeout=lock_timeout)
        raise
    (admin / "locked").unlink(missing_ok=True)
    note.write(admin / READY)
    hit("worktree.after_ready")
    (admin / PLAN).unlink(missing_ok=True)


def _fill(common: Path, path: Path, note: Note, timeout: float) -> Path:
    admin = _register(common, path, note, timeout)
    _check_out(path)
    return admin


def _build_and_rename(common: Path, path: Path, note: Note, timeout: float) -> Path:
    scaffold = path.parent / f"{_scaffold_prefix(path)}{random_hex(_TOKEN_BYTES)}"
    scaffold.mkdir()
    # Git processes inherit this lock, so one that outlives us is waited for before its tree is taken away.
    with file_lock(scaffold / "lock", 0, "a new folder") as descriptor:
        note.write(scaffold / PLAN)
        hit("worktree.before_add")
        tree = scaffold / _TREE / path.name
        tree.parent.mkdir()
        admin = _register(common, tree, note, timeout, descriptor)
        hit("worktree.after_add")
        others = scaffolded_names(path.parent) - {path.name}
        _check_out(tree, descriptor, alone=not others)
        hit("worktree.after_checkout")
        note.write(admin / PLAN)
        write_atomic(admin / "gitdir", os.fsencode(path / ".git") + b"\n")
        hit("worktree.before_rename")
        tree.rename(path)
        sync_directory(path.parent)
        hit("worktree.after_rename")
    shutil.rmtree(scaffold)
    return admin


def _register(common: Path, tree: Path, note: Note, timeout: float, *hold: int) -> Path:
    with repository_lock(common, timeout) as descriptor:
        return enlist(common, tree, note, (descriptor, *hold))


def _check_out(tree: Path, *hold: int, alone: bool = True) -> None:
    workers = min(_CHECKOUT_WORKERS, idle_cores()) if alone else 1
    run_git(
        ["-c", f"checkout.workers={workers}", "reset", "--hard", "--quiet", "--no-recurse-submodules"],
        cwd=tree,
        pass_fds=hold,
    )


def _scaffold_prefix(path: Path) -> str:
    return f"{TEMPORARY_PREFIX}{path.name}-"


def scaffolded_names(base: Path) -> set[str]:
    """Return the names of the worktrees in `base` that somebody is making, or was making when it died."""
    return {name for name, _ in _scaffolds(base)}


def recover(common: Path, path: Path, *, in_place: bool = False, timeout: float = 300) -> None:
    """Take away what dead attempts at `path` left: scaffolds, a half-made tree, the entries of trees that are gone.

    Commits that only such an entry knew are pinned by a ref first. The caller holds what keeps others from `path`.
    """
    scaffolds = [scaffold for name, scaffold in _scaffolds(path.parent) if name == path.name]
    notes = [note for scaffold in scaffolds if (note := _drop_scaffold(scaffold, timeout))]
    entries = [entry for entry in registrations(common) if _belongs(entry.tree, path)]
    stale = [entry for entry in entries if not os.path.lexists(entry.tree / ".git" if in_place else entry.tree)]
    half_made = [] if in_place else [entry for entry in entries if entry.half_made and entry not in stale]
    for entry in half_made:
        drop(entry.tree, path.parent)
    if not notes and not stale and not half_made:
        return
    for entry in stale:
        pin_commits(common, entry.admin, path.name)
    with repository_lock(common, timeout):
        sweep(common)
        drop_claims(common, path.name)
        for entry in stale + half_made:
            unregister(common, entry)
        for note in notes:
            discard_branch(common, note)


def _scaffolds(base: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name of each worktree that is being made in `base`, and the folder it is made in."""
    for name in names_in(base):
        found = _SCAFFOLD.fullmatch(name)
        if found and (base / name).is_dir():
            yield found[1], base / name


def _drop_scaffold(scaffold: Path, timeout: float) -> Note | None:
    with file_lock(scaffold / "lock", timeout, "an unfinished worktree"):
        note = Note.read(scaffold / PLAN)
        drop(scaffold, scaffold.parent)
    return note


def _belongs(tree: Path, path: Path) -> bool:
    """Tell whether a registered tree is `path` itself or in a scaffold of it."""
    if tree.name != path.name:
        return False
    scaffold = tree.parent.parent
    in_scaffold = tree.parent.name == _TREE and scaffold.name.startswith(_scaffold_prefix(path))
    return real(tree) == real(path) or (in_scaffold and real(scaffold).parent == real(path).parent)


def remove_worktree(repo: Path, path: Path, *, lock_timeout: float = 300) -> Path | None:
    """Take the worktree at `path` out of the way and out of the repository's list.

    No question is asked: the caller has saved what is in it. Its branch stays, unless it is ours and empty. The tree
    is renamed into `.trash` beside it, which takes no time, and its new place is returned (`empty_trash` deletes it);
    None if there was no tree. May be called again after a crash.
    """
    path = path.absolute()
    common = common_dir(repo)
    entry = registration_of(common, path)
    gone = discard(path)
    if entry is not None:
        _unregister(common, entry, lock_timeout)
    return gone


def discard(path: Path) -> Path | None:
    """Take a tree out of the way in one step and return its new place, from which it is deleted; None without one."""
    hit("worktree.before_trash")
    gone = drop(path, path.parent) if os.path.lexists(path) else None
    hit("worktree.after_trash")
    return gone


def _unregister(common: Path, entry: Registration, timeout: float) -> None:
    with repository_lock(common, timeout):
        unregister(common, entry)


def drop(path: Path, base: Path) -> Path:
    """Rename a tree into the trash of the folder of worktrees `base`, in one step; return its new place."""
    gone = base / _TRASH / f"{path.name[:128]}-{random_hex(_TOKEN_BYTES)}"
    move_into_folder(path, gone)
    return gone


def empty_trash(base: Path) -> None:
    """Delete what was removed from the folder of worktrees `base`; what another process deletes meanwhile is fine."""
    trash = base / _TRASH
    for gone in names_in(trash):
        with contextlib.suppress(OSError):
            remove_tree(trash / gone)
    with contextlib.suppress(OSError):
        trash.rmdir()
