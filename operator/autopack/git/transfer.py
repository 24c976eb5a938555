"""Brings objects from one repository of this machine into another, with proof that none is missing or damaged."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from .runner import GitError, git_environment, kill_git, run_git, start_git

_LOOSE = 100
"""So many objects are stored one by one, as git does with what it fetches: more become a pack."""


def bring_over(source: Path, target: Path, tips: Iterable[str], known: Iterable[str]) -> None:
    """Copy all that `tips` lead to from the git dir `source` to `target`, which has what the commits `known` lead to.

    Packing walks through everything and fails where an object is missing; unpacking computes each id again from what
    the object says. Raises GitError.
    """
    asked = [*(f"{sha}\n" for sha in tips)]
    if not asked:
        return
    asked += [f"^{sha}\n" for sha in known]
    command = ["pack-objects", "--revs", "--quiet", "--window=0", "--delta-base-offset", "--non-empty"]
    name = run_git([*command, str(source / "out")], git_dir=source, input="".join(asked).encode()).text
    if name:
        _unpack(source / f"out-{name}.pack", target)


def _unpack(pack: Path, target: Path) -> None:
    with pack.open("rb") as file:
        count = int.from_bytes(file.read(12)[8:], "big")
        # The process reads from where its descriptor stands.
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        args = ["unpack-objects", "-q"] if count <= _LOOSE else ["index-pack", "--stdin"]
        process = start_git(args, file.fileno(), subprocess.PIPE, git_dir=target, env=git_environment(None, ()))
        try:
            _, stderr = process.communicate()
        except BaseException:
            kill_git(process)
            process.communicate()
            raise
    if process.returncode != 0:
        raise GitError(args, process.returncode, stderr)
