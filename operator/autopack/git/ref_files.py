"""The refs of a repository that is laid out the usual way, read from its files without a process.

As in `layout`, every doubt is left to git: names or contents that are not plain, links, a ref that leads to none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from autopack.errors import InvalidInput

from .layout import common_of, layout_of
from .refs import check_ref

_DIRECT = re.compile(r"([0-9a-f]{40})\n?")
_SYMBOLIC = re.compile(r"ref: (refs/\S+)\n?")
_PACKED = re.compile(r"([0-9a-f]{40}) (refs/[^\x00-\x20\x7f~^:?*\[\\]+)")
_OF_A_WORKTREE = ("refs/bisect/", "refs/rewritten/", "refs/worktree/")
_LARGEST = 4096
_MOST = 16
"""So many refs with a file each are read quicker here than a process starts."""


def read_refs(git_dir: Path, below: str) -> dict[str, tuple[str, str]] | None:
    """Return by the full name of each ref the id it leads to and the ref it stands for ("": none).

    Names begin with `below`, which ends with a slash. `git_dir` may be that of a linked worktree, which has some refs
    for itself. None: ask git.
    """
    try:
        common = common_of(git_dir)
        if layout_of(common) is None or not (common / "refs").is_dir():
            return None
        # In this order: git puts a ref into the packed ones before it takes its own file away.
        loose = {name: text for name, text in _loose(common, below) if _is_shown(name, common == git_dir)}
        if common != git_dir:
            loose |= {name: text for name, text in _loose(git_dir, below) if name.startswith(_OF_A_WORKTREE)}
        direct = {name: sha for name, sha in _packed(common) if name.startswith(below)}
        symbolic = {}
        for name, text in loose.items():
            if match := _SYMBOLIC.fullmatch(text):
                symbolic[name] = match[1]
                direct.pop(name, None)
            else:
                direct[name] = _id(text)
        return {name: (sha, "") for name, sha in direct.items()} | {
            name: (direct[target], target) for name, target in symbolic.items()
        }
    except (OSError, ValueError, KeyError, InvalidInput):
        return None


def _is_shown(name: str, is_own: bool) -> bool:
    return is_own or not name.startswith(_OF_A_WORKTREE)


def _loose(git_dir: Path, below: str) -> Iterator[tuple[str, str]]:
    left = [below.rstrip("/")] if (git_dir / below).exists() else []
    names: list[str] = []
    while left:
        folder = left.pop()
        with os.scandir(git_dir / folder) as entries:
            for entry in entries:
                name = f"{folder}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    left.append(name)
                elif not entry.is_file(follow_symlinks=False) or len(names) == _MOST:
                    raise ValueError(name)
                elif not name.endswith(".lock"):
                    names.append(check_ref(name))
    for name in names:
        with (git_dir / name).open("rb") as file:
            yield name, os.fsdecode(file.read(_LARGEST))


def _packed(common: Path) -> Iterator[tuple[str, str]]:
    """Read `<id> <name>`, passing over the header and what annotated tags lead to (`^<id>`)."""
    try:
        lines = os.fsdecode((common / "packed-refs").read_bytes()).split("\n")
    except FileNotFoundError:
        return
    for line in lines:
        if line and line[0] not in "#^":
            match = _PACKED.fullmatch(line)
            if match is None:
                raise ValueError(line)
            yield match[2], _id(match[1])


def _id(text: str) -> str:
    match = _DIRECT.fullmatch(text)
    if match is None or not match[1].strip("0"):
        raise ValueError(text)
    return match[1]
