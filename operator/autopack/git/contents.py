"""What a commit holds that a plain checkout cannot give: submodules and files kept in Git LFS."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path

from autopack.errors import WorkspaceError, printable

from .runner import run_git


def check_complete(common: Path, sha: str) -> None:
    """Raise WorkspaceError SubmodulesPresent or LfsMissing if a worktree at `sha` would lack files.

    Worktrees have no submodules: git would clone each again into every worktree, from addresses that the commit
    chooses. Git LFS works where it is installed; elsewhere its files would be pointers of three lines.
    """
    held = held_by(common, sha)
    if held.submodules:
        names = printable(", ".join(held.submodules), 120)
        raise WorkspaceError(
            "SubmodulesPresent",
            f"the repository has submodules, whose folders would be empty in a worktree: {names}",
            "Accept that with --allow-incomplete, and fetch what the runs need in a setup command",
        )
    if held.lfs and not _lfs_installed(common):
        raise WorkspaceError(
            "LfsMissing",
            "the repository keeps files in Git LFS, which is not set up on this machine",
            "Install git-lfs and run 'git lfs install', or accept pointer files with --allow-incomplete",
        )


@dataclass(frozen=True)
class Held:
    """The folders of a commit's submodules, and whether it keeps files in Git LFS."""

    submodules: tuple[str, ...]
    lfs: bool


# What a commit holds never changes, and the runs of a batch begin at the same one.
@functools.lru_cache(maxsize=64)
def held_by(common: Path, sha: str) -> Held:
    """Look into a commit. Raises GitError where it, or a part of its tree, is not there."""
    listed = run_git(["ls-tree", "-r", "-z", "--full-tree", sha], git_dir=common).stdout
    return Held(_submodules(listed), _uses_lfs(common, sha, listed))


def _submodules(listed: bytes) -> tuple[str, ...]:
    # Most trees have none, and looking for the mode in one piece is quick.
    if b"\x00160000 " not in b"\x00" + listed:
        return ()
    rows = (row.partition(b"\t") for row in listed.split(b"\0"))
    return tuple(os.fsdecode(path) for mode, _, path in rows if mode.startswith(b"160000 "))


def _uses_lfs(common: Path, sha: str, listed: bytes) -> bool:
    # Most trees have no such file, and then no process is needed to look into it.
    if b"\t.gitattributes\0" not in listed and b"/.gitattributes\0" not in listed:
        return False
    patterns = ["-e", "filter=lfs", sha, "--", ":(top,glob)**/.gitattributes"]
    return run_git(["grep", "--quiet", "--fixed-strings", *patterns], git_dir=common, check=False).returncode == 0


def _lfs_installed(common: Path) -> bool:
    set_up = run_git(["config", "--get-regexp", r"^filter\.lfs\.(process|smudge)$"], git_dir=common, check=False)
    return set_up.returncode == 0
