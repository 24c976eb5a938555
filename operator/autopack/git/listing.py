"""The worktrees of a repository as `git worktree list` tells them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from .runner import run_git
from .worktree_entries import common_dir, repository_lock


def list_worktrees(repo: Path) -> list[dict[str, str | bool]]:
    """Return one dictionary a worktree, the main one first.

    Keys: `path`, `commit` (absent for an unborn branch), and `branch` (a full ref) or `detached` (True); where they
    apply `bare`, `locked`, `prunable` (True). Raises GitError if there is no repository.
    """
    with contextlib.ExitStack() as stack:
        # Without the lock git can meet an entry that another process has half written, and give up.
        with contextlib.suppress(PermissionError):
            stack.enter_context(repository_lock(common_dir(repo)))
        listed = run_git(["worktree", "list", "--porcelain"], cwd=repo).stdout
    return [_parse(block) for block in os.fsdecode(listed).split("\n\n") if block.strip()]


def _parse(block: str) -> dict[str, str | bool]:
    found: dict[str, str | bool] = {}
    for line in block.splitlines():
        name, _, value = line.partition(" ")
        if name in {"worktree", "HEAD", "branch"}:
            found[{"worktree": "path", "HEAD": "commit"}.get(name, name)] = value
        else:
            found[name] = True
    return found
