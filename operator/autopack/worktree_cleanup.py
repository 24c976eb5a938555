"""Removing the worktrees that runs left behind: all of them, or those nobody touched for some time."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from .errors import AutopackError, printable
from .files import names_in
from .git.private import private_trees, repository_of
from .git.removal import Retired, not_ours, retire
from .git.worktree import empty_trash, scaffolded_names
from .git.worktree_entries import common_dir, real, registration_of, registrations
from .occupancy import Occupancy
from .workspace_lease import WorkspaceLease


@dataclass(frozen=True)
class CleanupItem:
    """What was done with one worktree, or would be: whether it is gone, its age in seconds, and a word why."""

    path: Path
    age: float
    removed: bool
    detail: str


def cleanup_worktrees(
    repo: Path,
    base: Path,
    older_than: timedelta = timedelta(0),
    *,
    dry_run: bool = False,
    lease_dir: Path | None = None,
    now: float | None = None,
) -> list[CleanupItem]:
    """Save and remove the worktrees of `repo` in the folder `base` that were not touched for `older_than`.

    Worktrees that anybody uses (their lease is held) stay, as does what is not a worktree of the repository, and what
    a person locked. With `dry_run` nothing is changed, and `removed` says what would be. `now` is in seconds since the
    epoch. Raises GitError if there is no repository.
    """
    common = common_dir(repo)
    base = base.absolute()
    if not base.is_dir():
        return []
    moment = time.time() if now is None else now
    items = []
    for path in _places(common, base):
        age = max(0.0, moment - last_touched(common, path))
        if age < older_than.total_seconds():
            items.append(CleanupItem(path, age, removed=False, detail="not old enough"))
            continue
        existed = os.path.lexists(path)
        done = _try(common, path, lease_dir, dry_run=dry_run)
        if existed or not done.removed:
            items.append(CleanupItem(path, age, done.removed, done.problem or _said(done, dry_run=dry_run)))
    if not dry_run:
        empty_trash(base)
    return items


def last_touched(common: Path, path: Path) -> float:
    """Return when a worktree was last changed or committed in, in seconds since the epoch; 0 if it is not there.

    Files deep in the tree are not looked at: an edit there shows when git next looks, and a run that is under way is
    protected by its lease.
    """
    entry = registration_of(repository_of(common, path), path)
    places = [path] if entry is None else [path, *(entry.admin / name for name in ("HEAD", "index", "logs/HEAD"))]
    times = [0.0]
    for place in places:
        with contextlib.suppress(OSError):
            times.append(place.lstat().st_mtime)
    return max(times)


def _places(common: Path, base: Path) -> Iterator[Path]:
    """Yield the paths at which there are worktrees, or the remains of making or removing one."""
    names = {name for name in names_in(base) if not name.startswith(".") and (base / name).is_dir()}
    trees = [*(real(entry.tree) for entry in registrations(common)), *private_trees(common)]
    vanished = {tree.name for tree in trees if tree.parent == base.resolve()}
    for name in sorted(names | scaffolded_names(base) | vanished):
        yield base / name


def _try(common: Path, path: Path, lease_dir: Path | None, *, dry_run: bool) -> Retired:
    occupancy = Occupancy(common, path)
    lease = WorkspaceLease(path, lease_dir)
    try:
        if dry_run:
            return _foresee(common, path, occupancy, lease)
        with lease:
            occupancy.release_by_process()
            with occupancy:
                return retire(common, path, force=True)
    except (AutopackError, OSError) as error:
        return Retired(removed=False, problem=str(error))


def _foresee(common: Path, path: Path, occupancy: Occupancy, lease: WorkspaceLease) -> Retired:
    for claim in (lease, occupancy):
        if claim.is_locked():
            return Retired(removed=False, problem=str(claim.held_error()))
    problem = not_ours(common, path) if os.path.lexists(path) else ""
    return Retired(removed=not problem, problem=problem)


def _said(done: Retired, *, dry_run: bool) -> str:
    if dry_run:
        return "would be removed"
    return "removed" if done.kept is None else f"removed; its last state is kept as {printable(done.kept)}"
