"""Finds the repositories and worktrees that a run made for itself, wherever they lie in its tree."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from autopack.files import names_in
from autopack.git.layout import common_of

_BARE = frozenset({"HEAD", "objects", "refs"})
_TELLING = frozenset(map(os.fsencode, {".git", *_BARE}))
_MAX_DEPTH = 4
"""How deep the git dirs of submodules may nest in each other."""


class Place(NamedTuple):
    """Where one attempt works.

    `tree` is its work tree (None: it is gone), `repo` the git dir that is its alone, `admin` the private git dir of the
    worktree in there (None: lost), `shared` the object folder that others use too, `stores` are further object folders
    that are its alone.
    """

    tree: Path | None
    repo: Path
    admin: Path | None
    shared: Path
    stores: tuple[Path, ...] = ()


class Found(NamedTuple):
    """A repository inside: its git dir, the one that has its refs and objects, and its work tree (None: bare)."""

    git_dir: Path
    common: Path
    tree: Path | None

    @property
    def objects(self) -> Path:
        """The folder of its own objects."""
        return self.common / "objects"


def repositories_of(place: Place) -> list[Found]:
    """Return what is a repository or a worktree of its own beside the run's worktree, ignored folders included.

    Git dirs outside the run's folders belong to somebody else and are left out. A git dir may have several work trees:
    a folder that was copied with the `.git` in it has the same.
    """
    found = {(one.git_dir, one.tree and one.tree.resolve()): one for one in _search(place)}
    for own in (place.repo, place.admin):
        if own is not None:
            found.pop((own.resolve(), place.tree and place.tree.resolve()), None)
            found.pop((own.resolve(), None), None)
    with_tree = {git_dir for git_dir, tree in found if tree is not None}
    return [one for one in found.values() if one.tree is not None or one.git_dir not in with_tree]


def _search(place: Place) -> Iterator[Found]:
    """Yield git dirs, some of them several times: by themselves, and as what a folder points to."""
    git_dirs = [path for path in (place.repo, place.admin) if path is not None]
    in_tree = [] if place.tree is None else list(_walk(place.tree))
    git_dirs += [git_dir for git_dir, _ in in_tree]
    for git_dir in git_dirs:
        yield from _inner(git_dir)
    homes = [path.resolve() for path in (place.repo, place.tree) if path is not None]
    for git_dir, tree in in_tree:
        if any(git_dir.is_relative_to(home) for home in homes):
            yield Found(git_dir, common_of(git_dir), tree)


def _walk(tree: Path) -> Iterator[tuple[Path, Path | None]]:
    """Yield the git dirs in a tree with the folder each belongs to; no symlink to a folder is followed."""
    left = [os.fsencode(tree)]
    while left:
        folder = left.pop()
        folders, telling = [], []
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.name in _TELLING:
                    telling.append(entry.name)
                if entry.name != b".git" and entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
        # Most folders have none of these, and there are many.
        if telling:
            path = Path(os.fsdecode(folder))
            if b".git" in telling and (git_dir := _pointed(path / ".git")) is not None:
                yield git_dir, path
            if is_git_dir(path):
                yield path.resolve(), None
                continue
        left += folders


def _inner(git_dir: Path) -> Iterator[Found]:
    """Yield the further worktrees of a git dir, and the git dirs of submodules in it."""
    for name in names_in(git_dir / "worktrees"):
        admin = (git_dir / "worktrees" / name).resolve()
        with contextlib.suppress(OSError):
            tree = Path(os.fsdecode((admin / "gitdir").read_bytes()).rstrip("\n")).parent
            yield Found(admin, common_of(admin), tree if tree.is_dir() else None)
            yield from _inner(admin)
    yield from _modules(git_dir / "modules", _MAX_DEPTH)


def _modules(folder: Path, depth: int) -> Iterator[Found]:
    for name in names_in(folder):
        path = folder / name
        if is_git_dir(path):
            yield Found(path.resolve(), path.resolve(), None)
            yield from _inner(path)
        elif depth and path.is_dir():
            yield from _modules(path, depth - 1)


def _pointed(dot_git: Path) -> Path | None:
    """Return the git dir that a `.git`, folder or file, stands for."""
    try:
        if dot_git.is_dir():
            return dot_git.resolve() if is_git_dir(dot_git) else None
        text = os.fsdecode(dot_git.read_bytes()).strip()
    except (OSError, ValueError):
        return None
    target = dot_git.parent / text.removeprefix("gitdir:").strip()
    return target.resolve() if text.startswith("gitdir:") and (target / "HEAD").is_file() else None


def is_git_dir(folder: Path) -> bool:
    """Tell whether a folder is a git dir with refs and objects of its own."""
    return _BARE.issubset(names_in(folder)) and (folder / "HEAD").is_file()
