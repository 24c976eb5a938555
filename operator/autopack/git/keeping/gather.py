"""Pins everything that a run made and that nothing else pins, by one commit, and notes where it lay.

A run's objects lie in a store that is its alone. So nothing has to be known of git's many states in progress (an
autostash, a merge, a file that was staged and changed again): what the store has and no ref reaches is what would be
lost. Repositories that the run made inside its tree have stores of their own, which are searched likewise.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from autopack.git.runner import GitError, run_git
from autopack.git.snapshot import snapshot
from autopack.git.worktree_entries import head_branch
from autopack.unsaved import Unsaved

from .keeper import Keeper, reached
from .repositories import Found, Place, repositories_of
from .states import staged_in, states_of
from .stores import loose_in, missing_in, packed_in, see

_VERSION = 1
_ASK_SECONDS = 300


class Gathered(NamedTuple):
    """The commit that pins what was found (None: there was nothing), and what could not be saved."""

    keep: str | None
    unsaved: tuple[Unsaved, ...]
    objects: frozenset[str]
    """The ids of all objects of the run's own stores that the shared one lacks; `keep` and the roots reach them all."""
    reached: frozenset[str] | None
    """The ids of all that the roots lead to, without what everybody has; None where some of it is missing,
    or where the run has no objects of its own.
    """


def gather(ours: Path, place: Place, roots: Collection[str], base: Collection[str], name: str) -> Gathered:
    """Make the commit that keeps what `roots` do not reach.

    `ours` is a git dir of our own whose alternates show the run's objects and the shared ones; those of repositories
    inside the tree are added. `base` are commits that everybody has. `name` is the run's, for the message. Raises
    GitError, also where a repository of the run is damaged.
    """
    digits = max((len(sha) for sha in [*roots, *base]), default=40)
    inside = repositories_of(place)
    stores = list(dict.fromkeys([place.repo / "objects", *place.stores, *(one.objects for one in inside)]))
    see(ours, stores)
    own = _own_objects(ours, place, stores, digits)
    histories = [_History(ours, place, one) for one in inside]
    snapshots = [history.snapshot for history in histories if history.snapshot is not None]
    unsaved = tuple(one for history in histories for one in history.unsaved)
    led_to = _led_to(ours, roots, base) if own else None
    left = own - (led_to or frozenset())
    if not left and not snapshots:
        return Gathered(None, unsaved, frozenset(own), led_to)
    record = {
        "version": _VERSION,
        "run": name,
        "repositories": [history.record for history in histories if history.has_something(own)],
        "states": states_of(place.admin, own),
        "staged": staged_in(ours, place.admin, left),
    }
    keep = Keeper(ours, name, record).keep(left, snapshots, [*roots, *base], whole=not own or led_to is not None)
    return Gathered(keep, unsaved, frozenset(own), led_to)


def _own_objects(ours: Path, place: Place, stores: list[Path], digits: int) -> set[str]:
    """Return the ids of what was made by the run, and not only copied from what others have."""
    # Git writes no object that an alternate has, so that what it wrote one by one is new. Packs come from elsewhere.
    written, *_ = (set(loose_in(store, digits)) for store in stores)
    copied = set().union(*(packed_in(store, digits) for store in stores), *(loose_in(it, digits) for it in stores[1:]))
    return written | missing_in(place.shared, ours, copied - written)


def _led_to(ours: Path, roots: Collection[str], base: Collection[str]) -> frozenset[str] | None:
    try:
        return reached(ours, roots, base)
    except GitError:
        # Some are missing, as where a repository has been fetched in part.
        return None


class _History:
    """What a repository inside the tree is at, its dirty files saved as the commit `snapshot` (None: it has none)."""

    def __init__(self, ours: Path, place: Place, found: Found) -> None:
        self._found = found
        self.unsaved: tuple[Unsaved, ...] = ()
        where = found.tree or found.git_dir
        below = place.tree is not None and where.is_relative_to(place.tree)
        self._path = os.path.relpath(where, place.tree) if below else str(where)
        head = self._ask("rev-parse", "--quiet", "--verify", "HEAD^{commit}")
        self.snapshot = None if found.tree is None else self._take(ours, found.tree, head)
        # A further worktree has the refs of its repository, which has a record of its own.
        refs = "" if self._is_worktree else self._ask("for-each-ref", "--format=%(objectname) %(refname)")
        self._refs = {ref: sha for sha, ref in (line.split(" ", 1) for line in refs.splitlines())}
        self._head = head

    @property
    def _is_worktree(self) -> bool:
        return self._found.common != self._found.git_dir

    def _ask(self, *args: str) -> str:
        """Ask git about a git dir of the run's; without a protocol it cannot fetch an object that is missing."""
        return run_git(args, git_dir=self._found.git_dir, protocols=(), timeout=_ASK_SECONDS, check=False).text

    @property
    def record(self) -> dict[str, object]:
        """What is to be known to make it again."""
        return {
            "path": self._path,
            "bare": self._found.tree is None,
            "worktree": self._is_worktree,
            "branch": head_branch(self._found.git_dir),
            "head": self._head or None,
            "refs": self._refs,
            "snapshot": self.snapshot,
        }

    def _take(self, ours: Path, tree: Path, head: str) -> str | None:
        with contextlib.suppress(OSError):
            (ours / "index").unlink()
        with contextlib.suppress(OSError):
            shutil.copy2(self._found.git_dir / "index", ours / "index")
        index = ours / "nested-index"
        index.unlink(missing_ok=True)
        try:
            message = f"Uncommitted files of {self._path}"
            saved = snapshot(tree, git_dir=ours, index_file=index, ref=None, message=message, head=head or "0" * 40)
        except GitError as error:
            self.unsaved = (Unsaved(path=self._path, bytes=None, reason=error.message),)
            return None
        finally:
            index.unlink(missing_ok=True)
        self.unsaved = tuple(Unsaved({**one, "path": f"{self._path}/{one['path']}"}) for one in saved.unsaved)
        return saved.sha

    def has_something(self, own: set[str]) -> bool:
        """Tell whether anything here is the run's own work: `own` are the objects that others do not have."""
        return self.snapshot is not None or not own.isdisjoint([self._head, *self._refs.values()])
