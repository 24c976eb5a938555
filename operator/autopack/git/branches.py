"""Which branch a worktree gets, so that names that clash are resolved the same way every time.

The wanted name, if it is free; else the name with -2, -3 … A name is free when no branch has it (nor one that git could
not keep beside it: `a` and `a/b`), or when it is a run's branch, `autopack/…`, with nothing on it that the starting
point lacks, and no worktree has it checked out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from autopack.errors import WorkspaceError

from .layout import has_no_ref, own_git_dir
from .refs import check_branch, check_ref
from .runner import run_git
from .worktree_entries import branches_in_use, common_dir, head_branch

RUN_PREFIX = "autopack/"
_MAX_SUFFIX = 1000
_ID = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")


@dataclass(frozen=True)
class Start:
    """Where a worktree begins: a commit, on a branch (None: detached), that is `own` if made for it."""

    sha: str
    branch: str | None
    own: bool = False


def choose_name(
    wanted: str, sha: str, branches: Mapping[str, str], in_use: Collection[str], is_merged: Callable[[str], bool]
) -> str:
    """Return the first free name for a new branch at `sha`.

    `branches` maps all local branches to their commits, `in_use` are those checked out, and `is_merged` tells whether
    a branch's commit is contained in `sha`.
    """
    if any(wanted.startswith(f"{other}/") for other in branches):
        wanted = wanted.replace("/", "-")
    for number in range(1, _MAX_SUFFIX):
        name = wanted if number == 1 else f"{wanted}-{number}"
        if any(other.startswith(f"{name}/") for other in branches):
            continue
        if name not in branches:
            return name
        reusable = name.startswith(RUN_PREFIX) and name not in in_use
        if reusable and (branches[name] == sha or is_merged(branches[name])):
            return name
    message = f"git worktree add failed: the branches {wanted} to {wanted}-{_MAX_SUFFIX - 1} are all taken"
    raise WorkspaceError("NoBranchName", message, "Delete old branches")


def plan_start(repo: Path, run_name: str, branch: str | None, start_point: str | None) -> Start:
    """Decide where the worktree of a run begins; HEAD is that of `repo`, which may itself be a worktree.

    Without `branch`: detached at `start_point` (default HEAD). With both: a new branch of that name. With `branch`
    alone: that branch, or a new one from the remote branch of that name; and where another worktree has it checked
    out, the run's own branch `autopack/<run_name>` at the same commit.

    Raises InvalidInput for a bad name, WorkspaceError RefNotFound for a missing one, RepositoryEmpty for a repository
    without commits.
    """
    common = common_dir(repo)
    name = "HEAD" if start_point is None else check_ref(start_point, "start_point")
    if branch is None:
        return Start(_commit(repo, name), None)
    check_branch(branch)
    branches = local_branches(common)
    if start_point is not None:
        sha = _local_commit(repo, name, branches) or _commit(repo, name)
        return _new_branch(common, branch, sha, branches)
    sha = branches.get(branch, "")
    if not sha:
        return _new_branch(common, branch, _remote_branch(repo, branch), branches)
    if branch in branches_in_use(common):
        return _new_branch(common, f"{RUN_PREFIX}{run_name}", sha, branches)
    return Start(sha, branch)


def local_branches(common: Path) -> dict[str, str]:
    """Return all local branches with their commits."""
    listed = run_git(["for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads"], git_dir=common)
    pairs = (line.split(" ", 1) for line in listed.text.splitlines())
    return {name: sha for sha, name in pairs}


def _new_branch(common: Path, wanted: str, sha: str, branches: Mapping[str, str]) -> Start:
    def is_merged(other: str) -> bool:
        return run_git(["merge-base", "--is-ancestor", other, sha], git_dir=common, check=False).returncode == 0

    name = choose_name(wanted, sha, branches, branches_in_use(common), is_merged)
    return Start(sha, name, own=True)


def _local_commit(repo: Path, name: str, branches: Mapping[str, str]) -> str | None:
    """Return the commit of a starting point that is surely a local branch, or the HEAD on one; None: ask git."""
    own = own_git_dir(repo)
    if own is None:
        return None
    if name == "HEAD":
        return branches.get(head_branch(own) or "")
    # What git takes a name for before it looks among the branches (gitrevisions(7)).
    other = _ID.fullmatch(name) is not None or os.path.lexists(own / name)
    if other or not (has_no_ref(own, f"refs/{name}") and has_no_ref(own, f"refs/tags/{name}")):
        return None
    return branches.get(name)


def _commit(repo: Path, name: str) -> str:
    found = run_git(["rev-parse", "--quiet", "--verify", f"{name}^{{commit}}"], cwd=repo, check=False)
    if found.returncode == 0:
        return found.text
    if run_git(["rev-list", "--all", "--max-count=1"], cwd=repo, check=False).stdout:
        raise _not_found(name)
    raise WorkspaceError("RepositoryEmpty", "git worktree add failed: the repository has no commit", "Commit something")


def _remote_branch(repo: Path, branch: str) -> str:
    pattern = f"refs/remotes/*/{branch}"
    listed = run_git(["for-each-ref", "--format=%(objectname) %(refname)", pattern], cwd=repo).text.splitlines()
    remotes = {ref: sha for sha, ref in (line.split(" ", 1) for line in listed)}
    origin = remotes.get(f"refs/remotes/origin/{branch}")
    if origin is None and len(set(remotes.values())) != 1:
        if not remotes:
            _commit(repo, "HEAD")
        raise _not_found(branch)
    return origin or next(iter(remotes.values()))


def _not_found(name: str) -> WorkspaceError:
    message = f"git worktree add failed: there is no branch, tag or commit '{name}'"
    return WorkspaceError("RefNotFound", message, "Check the name, or fetch it first")
