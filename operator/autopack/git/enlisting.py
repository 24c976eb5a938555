"""Entering a worktree into a repository's list, without its files.

`git worktree add` starts three processes for what is five small files and a branch. In a repository laid out the usual
way we write the files ourselves (gitrepository-layout(5), "worktrees"); everywhere else, and in every doubt, git does.
ADR 10 says why.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from collections.abc import Sequence
from pathlib import Path

from autopack.failpoints import hit
from autopack.files import move_into_folder, random_hex

from .layout import Layout, has_no_ref, layout_of
from .runner import GitError, run_git
from .worktree_entries import NEW, PLAN, READY, Note, head_branch, real, registration_of, registrations, state_dir

# Relative paths in one worktree make older git refuse the whole repository.
_ADD = ("-c", "worktree.useRelativePaths=false", "worktree", "add", "--no-checkout", "--lock")
# Names that git would not change to make them part of a ref's name.
_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", re.ASCII)
# A branch that is being rebased or bisected is taken though no HEAD is on it; which one it is, git knows.
_UNDER_WAY = ("rebase-merge", "rebase-apply", "BISECT_LOG")


def enlist(common: Path, tree: Path, note: Note, hold: Sequence[int]) -> Path:
    """Enter `tree` (absent, or an empty folder) and return its private git dir; its branch is made or moved (`-B`).

    It is locked (`git worktree lock`): `prune` must not take it while it is being made. Git processes inherit the
    descriptors `hold`. The caller holds the repository's lock. Raises GitError, also where another worktree has the
    branch, and OSError.
    """
    layout = layout_of(common)
    if layout is None or not _is_usual(common, layout, tree, note):
        return _added_by_git(common, tree, note, hold)
    _point_branch(common, note, hold)
    hit("worktree.after_branch")
    return _written(common, tree, note)


def _is_usual(common: Path, layout: Layout, tree: Path, note: Note) -> bool:
    """Tell whether nothing about this worktree needs git's judgement, or would make git refuse it."""
    # Git hands the choice of files down to new worktrees.
    chosen = (common / "info/sparse-checkout").exists() or (common / "worktrees").is_symlink()
    named = _NAME.fullmatch(tree.name) is not None and not tree.name.endswith(".lock")
    if chosen or not named or len(note.sha) != 40 or not note.sha.strip("0"):
        return False
    return note.branch is None or _is_free(common, layout, note.branch)


def _is_free(common: Path, layout: Layout, branch: str) -> bool:
    if branch == "HEAD" or branch.startswith("-") or _loose(common, branch).startswith(b"ref:"):
        return False
    if has_no_ref(common, f"refs/heads/{branch}"):
        # Nor does git look any further then: nobody can have what is not there.
        return True
    entries = list(registrations(common))
    taken = {entry.branch for entry in entries} | (set() if layout.bare else {head_branch(common)})
    folders = [common, *(entry.admin for entry in entries)]
    return branch not in taken and not any((folder / name).exists() for folder in folders for name in _UNDER_WAY)


def _loose(common: Path, branch: str) -> bytes:
    """Return what the file of a branch says; nothing if it has none."""
    try:
        return (common / "refs/heads" / branch).read_bytes()
    except OSError:
        return b""


def _point_branch(common: Path, note: Note, hold: Sequence[int]) -> None:
    if note.branch is None or _loose(common, note.branch).strip() == note.sha.encode():
        return
    message = f"branch: Created from {note.sha}"
    run_git(["update-ref", "-m", message, f"refs/heads/{note.branch}", note.sha], git_dir=common, pass_fds=hold)


def announce(common: Path, tree: Path, note: Note, hold: Sequence[int]) -> None:
    """Enter a worktree that has a git dir elsewhere (`private`), for people who ask for the list and for its branch.

    The entry shows the commit and the branch with which the worktree begins, and is half made until `confirm`. The
    caller holds the repository's lock. Raises GitError where another worktree has the branch.
    """
    layout = layout_of(common) or Layout(bare=False, tree_elsewhere=False)
    if note.branch is not None and not _is_free(common, layout, note.branch):
        raise GitError(["worktree", "add"], 128, f"'{note.branch}' is checked out elsewhere".encode())
    _point_branch(common, note, hold)
    hit("worktree.after_branch")
    if not (common / "reftable").exists():
        _entry(common, tree, note, planned=True)


def confirm(common: Path, tree: Path) -> None:
    """Say that an announced worktree is there."""
    entry = registration_of(common, tree)
    if entry is not None:
        (entry.admin / "locked").unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            (entry.admin / PLAN).rename(entry.admin / READY)


def _written(common: Path, tree: Path, note: Note) -> Path:
    tree.mkdir(exist_ok=True)
    admin = _entry(common, tree, note)
    (tree / ".git").write_bytes(b"gitdir: " + os.fsencode(admin) + b"\n")
    return admin


def _entry(common: Path, tree: Path, note: Note, *, planned: bool = False) -> Path:
    """Write the private git dir aside and put it into the list whole: git fails on a list with half an entry."""
    built = state_dir(common) / f"{NEW}{random_hex(6)}"
    built.mkdir()
    head = note.sha if note.branch is None else f"ref: refs/heads/{note.branch}"
    for name, text in {"HEAD": head, "commondir": "../..", "locked": "added by autopack"}.items():
        (built / name).write_text(f"{text}\n", "utf-8")
    (built / "gitdir").write_bytes(os.fsencode(real(tree) / ".git") + b"\n")
    if planned:
        note.write_new(built / PLAN)
    hit("worktree.after_written")
    admin = _claim(common / "worktrees", tree.name)
    hit("worktree.after_claim")
    # A prune meanwhile takes the empty folder, and the whole list if there is nothing else in it.
    move_into_folder(built, admin)
    hit("worktree.after_enlisted")
    return admin


def _claim(folder: Path, name: str) -> Path:
    """Make the empty folder that is to be replaced; git finds the name taken, and passes over it in its list."""
    names = itertools.chain([name], (f"{name}{number}" for number in itertools.count(1)))
    while True:
        claimed = folder / next(names)
        # Not found: a prune has taken the list itself, which was empty, between our making it and this folder.
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            claimed.mkdir(parents=True)
            return claimed


def _added_by_git(common: Path, tree: Path, note: Note, hold: Sequence[int]) -> Path:
    which = ["--detach"] if note.branch is None else ["--no-track", "-B", note.branch]
    run_git([*_ADD, *which, "--", str(tree), note.sha], git_dir=common, pass_fds=hold)
    pointer = os.fsdecode((tree / ".git").read_bytes()).removeprefix("gitdir: ").rstrip("\n")
    return Path(pointer)
