"""Ways to a tree at a place: ours, git's own, and those that only write files."""

from __future__ import annotations

import secrets
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autopack.git.runner import run_git
from autopack.kept_files import KeptFiles
from autopack.manifest import Identity
from autopack.workspace_manager import WorkspaceManager
from autopack_runtime import workspace
from autopack_runtime.pod import Pod

from .repository import git

Way = Callable[[Path], bool]
"""Makes a tree at a path; whether it did. What it needs beside the tree goes into the folder that holds the tree."""


@dataclass(frozen=True)
class Source:
    """What trees are made from.

    Attributes:
        repo: a repository, checked out.
        plain: its files without `.git`, for `cp`.
        archive: the same as a tar file.
        kept: where trees go that are done with; None deletes them. On ext4 whoever makes files soon after many were
            deleted pays for it (it passes over their inodes for minutes), and that would be the next way in turn.

    """

    repo: Path
    plain: Path
    archive: Path
    kept: Path | None = None

    @classmethod
    def of(cls, repo: Path, kept: Path | None = None) -> Source:
        """Bring a repository's files into the other two forms, beside it."""
        plain, archive = repo.parent / f"{repo.name}-plain", repo.parent / f"{repo.name}.tar"
        run_git(["checkout-index", "--all", f"--prefix={plain}/"], cwd=repo)
        quietly(["tar", "--create", "--file", archive, "--directory", plain, "."])
        return cls(repo, plain, archive, kept)

    def clean(self, folder: Path) -> None:
        """Take a folder of trees away, and what the repository knows of them."""
        if self.kept is None:
            quietly(["rm", "-rf", folder])
        else:
            self.kept.mkdir(exist_ok=True)
            folder.rename(self.kept / secrets.token_hex(6))
        git(self.repo, "worktree", "prune")
        shutil.rmtree(self.repo / ".git" / "worktrees", ignore_errors=True)
        made = git(self.repo, "for-each-ref", "--format=delete %(refname)", "refs/heads/made").encode() + b"\n"
        run_git(["update-ref", "--stdin"], cwd=self.repo, input=made.lstrip())


def managed(source: Source) -> Way:
    """`WorkspaceManager.create_worktree`: what a run of the supervisor gets."""

    def make(tree: Path) -> bool:
        manager = WorkspaceManager(tree.name, source.repo, tree.parent, lease_dir=tree.parent / "leases")
        manager.create_worktree(f"made/ours-{tree.name}", start_point="main")
        manager.release()
        return True

    return make


def in_pod(source: Source) -> Way:
    """What the init container of a run's pod does: a git dir of its own that borrows the mirror's objects."""
    sha = git(source.repo, "rev-parse", "main")

    def make(tree: Path) -> bool:
        tree.mkdir(parents=True)
        files = KeptFiles(tree.parent / "artifacts" / tree.name, tree.parent / "kept" / tree.name)
        for folder in files:
            folder.mkdir(parents=True)
        identity = Identity(run_id=tree.name, uid=tree.name, attempt=1, base_sha=sha, branch=f"made/{tree.name}")
        workspace.make(Pod(identity, tree, files, source.repo / ".git"))
        return True

    return make


def plain_git(source: Source, *options: str) -> Way:
    """`git worktree add --no-track` as a person would call it, with git's options if there are any."""

    def make(tree: Path) -> bool:
        branch = f"made/plain-{tree.name}"
        command = ["git", *options, "worktree", "add", "--quiet", "--no-track", "-b", branch, str(tree), "main"]
        return subprocess.run(command, cwd=source.repo, check=False, capture_output=True).returncode == 0

    return make


def sparse(source: Source, folder: str) -> Way:
    """A worktree that only has one folder's files."""

    def make(tree: Path) -> bool:
        git(
            source.repo,
            "worktree",
            "add",
            "--no-checkout",
            "--no-track",
            "-b",
            f"made/s-{tree.name}",
            f"{tree}",
            "main",
        )
        git(tree, "sparse-checkout", "set", "--cone", folder)
        git(tree, "checkout", "--quiet")
        return True

    return make


def unpacked_by_git(source: Source) -> Way:
    """`git checkout-index -a --prefix`: the objects unpacked into files, and no worktree."""
    return _command(source.repo, lambda tree: ["git", "checkout-index", "--all", f"--prefix={tree}/"])


def untarred(source: Source) -> Way:
    """`tar --extract`."""
    unpack: list[str | Path] = ["tar", "--extract", "--file", source.archive]
    return _command(source.repo, lambda tree: [*unpack, f"--one-top-level={tree}"])


def copied(source: Source, *options: str) -> Way:
    """`cp -r`."""
    return _command(source.repo, lambda tree: ["cp", "-r", *options, source.plain, tree])


def _command(where: Path, argv: Callable[[Path], Sequence[str | Path]]) -> Way:
    def make(tree: Path) -> bool:
        tree.parent.mkdir(parents=True, exist_ok=True)
        quietly(argv(tree), where)
        return True

    return make


def quietly(argv: Sequence[str | Path], where: Path | None = None) -> None:
    """Run a command that must succeed."""
    subprocess.run(argv, cwd=where, check=True, capture_output=True)


def reflinks_work(folder: Path) -> bool:
    """Whether this file system can share blocks between copies."""
    one, two = folder / "reflink-from", folder / "reflink-to"
    one.write_bytes(b"x" * 4096)
    try:
        return subprocess.run(["cp", "--reflink=always", one, two], check=False, capture_output=True).returncode == 0
    finally:
        one.unlink()
        two.unlink(missing_ok=True)
