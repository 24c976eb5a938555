"""Finds in a mirror what a name stands for."""

from __future__ import annotations

import re
from pathlib import Path

from autopack.git.runner import run_git

REMOTE_HEAD = "refs/remote/HEAD"
"""Where a mirror keeps what the other side's HEAD points to."""


def resolve(mirror: Path, ref: str) -> str | None:
    """Return the full id of the commit that a name stands for in a mirror, branches before tags."""
    for name in candidates(ref):
        ask = ["rev-parse", "--quiet", "--verify", "--end-of-options", f"{name}^{{commit}}"]
        found = run_git(ask, git_dir=mirror, check=False)
        if found.returncode == 0:
            return found.text
    return None


def candidates(ref: str) -> list[str]:
    """List what a name may stand for, in the order in which it is tried."""
    if ref == "HEAD":
        # A repository without HEAD (imported from a bundle without one) is meant by its only usual branch.
        return [REMOTE_HEAD, "refs/heads/main", "refs/heads/master"]
    if re.fullmatch(r"[0-9a-f]{40}", ref):
        return [ref]
    if ref.startswith("refs/"):
        return [ref, f"refs/fetched/{ref.removeprefix('refs/')}"]
    names = [f"refs/heads/{ref}", f"refs/tags/{ref}"]
    return [*names, ref] if re.fullmatch(r"[0-9a-f]{7,39}", ref) else names


def is_empty(mirror: Path) -> bool:
    """Tell whether a mirror has no branch and no tag."""
    listed = ["for-each-ref", "--count=1", "refs/heads/", "refs/tags/", REMOTE_HEAD]
    return not run_git(listed, git_dir=mirror).stdout


def is_whole(mirror: Path, sha: str) -> bool:
    """Tell whether every file of a commit can be read; takes as long as reading them."""
    read = ["archive", "--format=tar", "--output=/dev/null", sha]
    return run_git(read, git_dir=mirror, check=False).returncode == 0
