"""Makes the repositories and worktrees again that an earlier attempt had inside its tree, from what was kept of them.

The record of where they lay is the keeper's, but paths and names in it are the run's: nothing is made outside the tree.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autopack.errors import AutopackError
from autopack.files import TEMPORARY_PREFIX
from autopack.git.bare import make_bare
from autopack.git.runner import run_git
from autopack.log import log

from .pod import Pod

_WITH_TREE = "[core]\n\tbare = false\n\tlogAllRefUpdates = true\n"


def make_again(pod: Pod, kept: str) -> None:
    """Make what the commit `kept` tells of; what cannot be made is logged, for all of it is in the results."""
    told = run_git(["cat-file", "blob", f"{kept}:record.json"], git_dir=pod.repo, check=False)
    try:
        repositories = json.loads(told.stdout)["repositories"]
    except (ValueError, KeyError, TypeError):
        return
    # Outer ones before those inside of them, and worktrees last: they belong to one that must be there.
    for one in sorted(repositories, key=lambda one: (bool(one["worktree"]), str(one["path"]))):
        try:
            _make(pod, one)
        except (AutopackError, OSError) as error:
            log("warning", "a repository inside the tree could not be made again", path=one["path"], error=str(error))


def _make(pod: Pod, one: Mapping[str, Any]) -> None:
    folder = pod.workspace / one["path"]
    inside = folder.resolve().is_relative_to(pod.workspace.resolve()) and ".git" not in Path(one["path"]).parts
    if not inside or os.path.lexists(folder / ".git"):
        return
    if one["worktree"]:
        _make_worktree(pod, folder, one)
        return
    folder.mkdir(parents=True, exist_ok=True)
    git_dir = folder if one["bare"] else folder / ".git"
    made = git_dir.with_name(f"{TEMPORARY_PREFIX}{git_dir.name}") if not one["bare"] else git_dir
    head = f"ref: refs/heads/{one['branch']}" if one["branch"] else one["head"]
    make_bare(made, "" if one["bare"] else _WITH_TREE, *([head] if head else []))
    (made / "objects/info/alternates").write_bytes(os.fsencode(pod.repo / "objects") + b"\n")
    commands = "".join(f"create {ref} {sha}\n" for ref, sha in one["refs"].items())
    run_git(["update-ref", "--stdin"], git_dir=made, input=commands.encode())
    if not one["bare"]:
        made.rename(git_dir)
        _fill(folder, one)


def _make_worktree(pod: Pod, folder: Path, one: Mapping[str, Any]) -> None:
    if one["head"]:
        run_git(["worktree", "add", "--quiet", "--detach", "--", str(folder), one["head"]], cwd=pod.workspace)
        if one["branch"]:
            # A branch without commits of its own did not come along. Refused where another worktree has it.
            run_git(["checkout", "--quiet", "-B", one["branch"]], cwd=folder, check=False)
        _fill(folder, one)


def _fill(folder: Path, one: Mapping[str, Any]) -> None:
    """Put its files there; those that were not committed are not committed again."""
    if one["snapshot"] or one["head"]:
        run_git(["read-tree", "--reset", "-u", one["snapshot"] or one["head"]], cwd=folder)
    if one["head"]:
        run_git(["reset", "--quiet", "--mixed"], cwd=folder)
    else:
        run_git(["read-tree", "--empty"], cwd=folder)
