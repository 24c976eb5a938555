"""Keeps repositories quick that only ever grow. Nothing is deleted that is not elsewhere in the same repository."""

from __future__ import annotations

import os
from pathlib import Path

from autopack.git.runner import run_git
from autopack.log import log

_LOOSE_REFS = 64
_LOOSE_OBJECTS_IN_ONE_FOLDER = 20
"""As `git gc --auto` guesses: the objects in one of 256 folders stand for all, here about 5,000."""


def tidy(repo: Path, refs: str) -> None:
    """Pack loose refs where there are many below `refs`, and loose objects likewise; a failure only costs time.

    Five thousand loose refs make an import take a second instead of a twentieth. Never `gc` nor `prune`: beside a
    writer those lose objects.
    """
    if _entries(repo / refs) > _LOOSE_REFS:
        _try(repo, "pack-refs", "--all")
    if _entries(repo / "objects" / "17") > _LOOSE_OBJECTS_IN_ONE_FOLDER:
        _try(repo, "repack", "-d", "-l", "-q", "--no-write-bitmap-index")


def _entries(folder: Path) -> int:
    try:
        with os.scandir(folder) as entries:
            return sum(1 for _ in entries)
    except FileNotFoundError:
        return 0


def _try(repo: Path, *args: str) -> None:
    done = run_git(args, git_dir=repo, check=False)
    if done.returncode != 0:
        log("warning", "a repository could not be tidied", repository=repo, error=done.stderr.decode(errors="replace"))
