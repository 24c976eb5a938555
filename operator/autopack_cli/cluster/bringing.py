"""Brings a bundle with a run's branch into a local clone. Blocking."""

from __future__ import annotations

from pathlib import Path

from autopack.errors import AutopackError, printable
from autopack.git.checks import CHECKS
from autopack.git.ref_list import commit_of
from autopack.git.refs import check_branch, check_ref
from autopack.git.runner import GitError, run_git
from autopack_cli.cluster.problems import ClusterProblem

_FETCH = (
    *CHECKS,
    *("fetch", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance"),
)


def has_commit(repo: Path, sha: str) -> bool:
    """Tell whether a clone has a commit."""
    ask = ["cat-file", "-e", f"{check_ref(sha)}^{{commit}}"]
    return run_git(ask, cwd=repo, check=False).returncode == 0


def bring(repo: Path, bundle: Path, ref: str, branch: str, *, force: bool) -> tuple[str, bool]:
    """Make the branch from the ref in the bundle; return its commit and whether anything changed.

    Every object is checked. A branch that has other commits is kept unless `force`; one that is checked out always is.
    Raises ClusterProblem.
    """
    name = f"refs/heads/{check_branch(branch)}"
    before = commit_of(name, cwd=repo)
    if before is not None and before == _commit_in(repo, bundle, ref):
        return before, False
    refspec = f"{'+' if force else ''}{check_ref(ref)}:{name}"
    try:
        run_git([*_FETCH, "--", str(bundle.absolute()), refspec], cwd=repo, protocols=("file",))
    except GitError as error:
        raise ClusterProblem(_why(error, branch)) from error
    after = commit_of(name, cwd=repo)
    if after is None:
        raise ClusterProblem(f"git created no branch {printable(branch)}")
    return after, after != before


def _commit_in(repo: Path, bundle: Path, ref: str) -> str:
    """Return the commit of a ref in a bundle, "" where it has none."""
    listed = run_git(["bundle", "list-heads", str(bundle.absolute()), check_ref(ref)], cwd=repo, check=False).text
    return listed.partition(" ")[0]


def _why(error: AutopackError, branch: str) -> str:
    shown = printable(branch, 120)
    if "[rejected]" in error.message:
        return f"your branch {shown} has other commits. Use --force to replace it, or --as for another name"
    if "refusing to fetch into" in error.message:
        return f"your branch {shown} is checked out. Switch to another one first, or use --as for another name"
    return f"the branch could not be fetched: {error.message}"
