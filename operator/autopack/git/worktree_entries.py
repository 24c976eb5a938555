"""What git keeps about the worktrees of a repository, and what Autopack notes beside it.

Each worktree has a private git dir `<git dir>/worktrees/<name>`; a file there, `gitdir`, points to the tree. Autopack
puts its note there too: first as a plan, and under its final name once the worktree is ready to be worked in.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from autopack.failpoints import hit
from autopack.files import names_in, random_hex, write_json_atomic

from .layout import layout_of, own_git_dir
from .locks import file_lock
from .runner import run_git

PLAN = "autopack-plan.json"
READY = "autopack-ready.json"

NEW = "new-"
"""How the names of private git dirs begin, in the state folder, that are written and not yet in git's list."""

STATE = "autopack-state"
"""The folder in a repository's git dir where Autopack keeps what is its own."""
_GONE = "gone-"


class Note(NamedTuple):
    """What a worktree was made of: the commit, the branch (None: detached HEAD), and whether that branch is ours.

    A branch of ours was made for this worktree and may go with it when nothing was committed on it.
    """

    sha: str
    branch: str | None
    own_branch: bool

    def write(self, path: Path) -> None:
        """Write the note as a file, atomically."""
        write_json_atomic(path, self._asdict())

    def write_new(self, path: Path) -> None:
        """Write the note into a folder that nobody looks into yet, and that gets its name when it is complete."""
        path.write_text(json.dumps(self._asdict()), "utf-8")

    @classmethod
    def read(cls, path: Path) -> Note | None:
        """Return the note in a file; None if there is none."""
        try:
            noted = json.loads(path.read_bytes())
            return cls(str(noted["sha"]), noted["branch"], bool(noted["own_branch"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None


class Registration(NamedTuple):
    """One worktree in git's list: its private git dir, and the tree that points to (which may be gone)."""

    admin: Path
    tree: Path

    @property
    def half_made(self) -> bool:
        """Whether Autopack began to make it and did not finish: then nobody can have worked in it."""
        return (self.admin / PLAN).exists() and not (self.admin / READY).exists()

    @property
    def note(self) -> Note | None:
        """What it was made of; None for a worktree that Autopack did not make."""
        return Note.read(self.admin / READY) or Note.read(self.admin / PLAN)

    @property
    def branch(self) -> str | None:
        """The short name of the branch checked out there; None when HEAD is detached or unreadable."""
        return head_branch(self.admin)

    @property
    def lock_reason(self) -> str | None:
        """Why a person locked the worktree (may be empty); None if it is not locked, or by us while being made."""
        try:
            return (self.admin / "locked").read_text("utf-8", "replace").strip()
        except OSError:
            return None


def common_dir(repo: Path) -> Path:
    """Return the absolute git dir that all worktrees of a repository share; GitError if there is no repository."""
    own = own_git_dir(repo)
    if own is not None:
        return own
    return (Path(repo) / run_git(["rev-parse", "--git-common-dir"], cwd=repo).text).resolve()


def top_level(repo: Path) -> Path | None:
    """Return the top of the work tree that `repo` is in; None if it is in none, as a bare repository is not."""
    own = own_git_dir(repo)
    layout = None if own is None else layout_of(own)
    if layout is not None and not layout.tree_elsewhere:
        top = Path(repo).resolve()
        return None if layout.bare or top == own else top
    found = run_git(["rev-parse", "--show-toplevel"], cwd=repo, check=False)
    return Path(found.text) if found.returncode == 0 else None


def state_dir(common: Path) -> Path:
    """Return the folder in a repository's git dir where Autopack keeps locks and leases, made if need be."""
    folder = common / STATE
    folder.mkdir(exist_ok=True)
    return folder


@contextlib.contextmanager
def repository_lock(common: Path, timeout: float = 300) -> Iterator[int]:
    """Hold the lock under which worktrees of a repository are added and removed; yields its descriptor."""
    with file_lock(state_dir(common) / "worktrees.lock", timeout, "another worktree of this repository") as descriptor:
        yield descriptor


def registrations(common: Path) -> Iterator[Registration]:
    """Yield what is in a repository's list, broken entries left out."""
    listed = common / "worktrees"
    for name in names_in(listed):
        admin = listed / name
        with contextlib.suppress(OSError):
            pointer = os.fsdecode((admin / "gitdir").read_bytes()).rstrip("\n")
            yield Registration(admin, (admin / pointer).parent)


def registration_of(common: Path, path: Path) -> Registration | None:
    """Return the entry of the worktree at `path`, if there is one."""
    wanted = real(path)
    named = (entry for entry in registrations(common) if entry.tree.name == path.name)
    return next((entry for entry in named if real(entry.tree) == wanted), None)


def real(path: Path) -> Path:
    """Resolve the folders above a path; the last name may be gone, and is never followed."""
    return path.parent.resolve() / path.name


def head_branch(git_dir: Path) -> str | None:
    """Return the short name of the branch that a git dir's HEAD is on."""
    try:
        text = os.fsdecode((git_dir / "HEAD").read_bytes()).strip()
    except OSError:
        return None
    prefix = "ref: refs/heads/"
    return text.removeprefix(prefix) if text.startswith(prefix) else None


def branches_in_use(common: Path) -> set[str]:
    """Return the branches that the repository's worktrees, the main one included, have checked out."""
    found = {entry.branch for entry in registrations(common)} | {head_branch(common)}
    return {branch for branch in found if branch is not None}


def unregister(common: Path, entry: Registration) -> None:
    """Remove an entry, in one step for whoever lists worktrees meanwhile; the caller holds the repository's lock."""
    gone = state_dir(common) / f"{_GONE}{random_hex(6)}"
    note = entry.note
    with contextlib.suppress(FileNotFoundError):
        entry.admin.rename(gone)
        hit("worktree.after_unregister")
    if note is not None:
        discard_branch(common, note)
    sweep(common)


def sweep(common: Path) -> None:
    """Delete private git dirs that were on their way into git's list or out; the caller holds the repository's lock."""
    state = state_dir(common)
    for left in names_in(state):
        if left.startswith((_GONE, NEW)):
            shutil.rmtree(state / left, ignore_errors=True)


def drop_claims(common: Path, name: str) -> None:
    """Remove the empty folders that dead attempts to enter a worktree called `name` left in git's list."""
    listed = common / "worktrees"
    for claimed in names_in(listed):
        if claimed.startswith(name) and not claimed.removeprefix(name).strip("0123456789"):
            with contextlib.suppress(OSError):
                (listed / claimed).rmdir()


def discard_branch(common: Path, note: Note) -> None:
    """Delete a branch of ours that nothing was committed on; the caller holds the repository's lock."""
    if note.branch is None or not note.own_branch or note.branch in branches_in_use(common):
        return
    with contextlib.suppress(OSError):
        if (common / "refs/heads" / note.branch).read_bytes().strip() != os.fsencode(note.sha):
            return
    hit("worktree.before_branch_delete")
    # Git deletes it only if it is still where we made it.
    run_git(["update-ref", "-d", f"refs/heads/{note.branch}", note.sha], git_dir=common, check=False)
