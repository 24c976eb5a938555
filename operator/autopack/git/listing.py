"""The worktrees of a repository as `git worktree list` tells them, those of runs as they are at this moment."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from .private import private_dir
from .ref_list import commit_of
from .runner import run_git
from .worktree_entries import common_dir, registration_of, repository_lock


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
    common = common_dir(repo)
    return [_as_it_is(common, _parse(block)) for block in os.fsdecode(listed).split("\n\n") if block.strip()]


def _as_it_is(common: Path, found: dict[str, str | bool]) -> dict[str, str | bool]:
    """Put in the commit and branch of a run, which are in its own git dir: the list knows with which it began."""
    path = Path(str(found["path"]))
    private = private_dir(common, path)
    entry = registration_of(private, path) if private.exists() else None
    if entry is None:
        return found
    head = commit_of("HEAD", git_dir=entry.admin)
    rest = {key: value for key, value in found.items() if key not in {"commit", "branch", "detached"}}
    where: dict[str, str | bool] = (
        {"detached": True} if entry.branch is None else {"branch": f"refs/heads/{entry.branch}"}
    )
    return rest | ({"commit": head} if head else {}) | where


def _parse(block: str) -> dict[str, str | bool]:
    found: dict[str, str | bool] = {}
    for line in block.splitlines():
        name, _, value = line.partition(" ")
        if name in {"worktree", "HEAD", "branch"}:
            found[{"worktree": "path", "HEAD": "commit"}.get(name, name)] = value
        else:
            found[name] = True
    return found
