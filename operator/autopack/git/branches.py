"""Which branch a worktree gets, so that names that clash are resolved the same way every time.

The wanted name, if it is free; else the name with -2, -3 … A name is free when no branch has it (nor one that git could
not keep beside it: `a` and `a/b`). The newest attempt of a run gets `autopack/<run>` itself, unless somebody has that
checked out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from autopack.errors import WorkspaceError

from .layout import has_no_ref, own_git_dir
from .ref_list import branches_among, commit_of, list_refs
from .refs import check_branch, check_ref
from .runner import run_git
from .worktree_entries import Note, branches_in_use, common_dir, head_branch

RUN_PREFIX = "autopack/"
_MAX_SUFFIX = 1000
_ID = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")


@dataclass(frozen=True)
class Start:
    """Where a worktree begins: a commit, on a branch (None: detached), that is `own` if made for it."""

    sha: str
    branch: str | None
    own: bool = False

    @property
    def note(self) -> Note:
        """The same as it is noted beside a worktree."""
        return Note(self.sha, self.branch, self.own)


def choose_name(wanted: str, branches: Collection[str], in_use: Collection[str], own: str) -> str:
    """Return the first free name for a new branch.

    `branches` are all local branches, `in_use` those checked out. The branch `own` is the run's: its newest attempt
    takes it over unless it is checked out, for what it held is in the run's history.
    """
    # No run id has a '@', so that no attempt of one run looks like another run.
    separator = "@" if wanted == own else "-"
    if any(wanted.startswith(f"{other}/") for other in branches):
        wanted = wanted.replace("/", "-")
    for number in range(1, _MAX_SUFFIX):
        name = wanted if number == 1 else f"{wanted}{separator}{number}"
        if any(other.startswith(f"{name}/") for other in branches):
            continue
        if name not in branches or (name == own and name not in in_use):
            return name
    message = f"git worktree add failed: the branches {wanted} to {wanted}{separator}{_MAX_SUFFIX - 1} are all taken"
    raise WorkspaceError("NoBranchName", message, "Delete old branches")


def plan_start(
    repo: Path, run_name: str, branch: str | None, start_point: str | None, branches: Mapping[str, str]
) -> Start:
    """Decide where the worktree of a run begins; HEAD is that of `repo`, which may itself be a worktree.

    `branches` are the repository's, with their commits.

    Without `branch`: detached at `start_point` (default HEAD). With both: a new branch of that name. With `branch`
    alone: that branch, or a new one from the remote branch of that name; and where another worktree has it checked
    out, the run's own branch `autopack/<run_name>` at the same commit.

    Raises InvalidInput for a bad name, WorkspaceError RefNotFound for a missing one, RepositoryEmpty for a repository
    without commits.
    """
    common = common_dir(repo)
    name = "HEAD" if start_point is None else check_ref(start_point, "start_point")
    if branch is None:
        return Start(_local_commit(repo, name, branches) or _commit(repo, name), None)
    check_branch(branch)
    own = f"{RUN_PREFIX}{run_name}"

    def name_of(wanted: str) -> str:
        return choose_name(wanted, branches, branches_in_use(common), own)

    if start_point is not None:
        sha = _local_commit(repo, name, branches) or _commit(repo, name)
        return Start(sha, name_of(branch), own=True)
    sha = branches.get(branch, "")
    if not sha:
        return Start(_remote_branch(repo, branch), name_of(branch), own=True)
    if branch in branches_in_use(common):
        return Start(sha, name_of(own), own=True)
    return Start(sha, branch)


def local_branches(common: Path) -> dict[str, str]:
    """Return all local branches with their commits."""
    return branches_among(list_refs(common, "refs/heads/"))


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
    found = commit_of(name, cwd=repo)
    if found is not None:
        return found
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
