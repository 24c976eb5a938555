"""Refs read from files are those that git tells, and git is asked where files do not tell it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.local.workspaces.repos import commit, git, head

from autopack.git.ref_files import read_refs
from autopack.git.ref_list import Ref, list_refs


def told(git_dir: Path, below: str = "refs/") -> list[Ref]:
    """What git itself says."""
    rows = git(git_dir, "for-each-ref", "--format=%(objectname) %(refname) %(symref)", below).splitlines()
    return [Ref(name, sha, target) for sha, name, target in (f"{row} ".split(" ")[:3] for row in rows)]


@pytest.fixture
def refs(repo: Path) -> Path:
    """A repository with refs of many kinds; returns its git dir."""
    first = head(repo)
    git(repo, "tag", "-a", "-m", "a", "v1")
    git(repo, "branch", "a/b")
    git(repo, "branch", "packed-and-moved")
    git(repo, "pack-refs", "--all")
    second = commit(repo, {"n": "n\n"})
    git(repo, "update-ref", "refs/heads/packed-and-moved", second)
    git(repo, "update-ref", "refs/autopack/run", first)
    git(repo, "update-ref", "refs/heads/böse-%-name", first)
    git(repo, "update-ref", "refs/remotes/origin/main", first)
    git(repo, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    git(repo, "update-ref", "refs/worktree/own", first)
    (repo / ".git/refs/heads/held.lock").touch()
    return repo / ".git"


@pytest.mark.parametrize("below", ["refs/", "refs/heads/", "refs/autopack/", "refs/heads/a/", "refs/none/"])
def test_they_are_what_git_says(refs: Path, below: str) -> None:
    assert read_refs(refs, below) is not None
    assert list_refs(refs, below) == told(refs, below)


def test_a_worktree_has_some_for_itself(refs: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    git(refs, "worktree", "add", "-q", "--detach", str(tree))
    git(tree, "update-ref", "refs/bisect/bad", "HEAD")
    admin = refs / "worktrees/tree"
    assert read_refs(admin, "refs/") is not None
    assert list_refs(admin) == told(tree)
    assert "refs/worktree/own" not in {ref.name for ref in list_refs(admin)}


DOUBTS: dict[str, Callable[[Path], object]] = {
    "an extension": lambda git_dir: git(git_dir, "config", "extensions.noop", "true"),
    "a link": lambda git_dir: (git_dir / "refs/heads/link").symlink_to("main"),
    "nonsense in a file": lambda git_dir: (git_dir / "refs/heads/bad").write_text("nonsense\n"),
    "zeros": lambda git_dir: (git_dir / "refs/heads/zero").write_text("0" * 40),
    "a name that is none": lambda git_dir: (git_dir / "refs/heads/a..b").write_text(head(git_dir)),
    "a ref to nothing": lambda git_dir: git(git_dir, "symbolic-ref", "refs/heads/sym", "refs/heads/none"),
    "a ref to a ref to a ref": lambda git_dir: [
        git(git_dir, "symbolic-ref", "refs/heads/one", "refs/heads/two"),
        git(git_dir, "symbolic-ref", "refs/heads/two", "refs/heads/main"),
    ],
    "many": lambda git_dir: [git(git_dir, "branch", f"b{number}") for number in range(20)],
    "nonsense among the packed": lambda git_dir: (git_dir / "packed-refs").write_text("nonsense\n"),
}


@pytest.mark.parametrize("doubt", DOUBTS)
def test_in_doubt_git_is_asked(repo: Path, doubt: str) -> None:
    git(repo, "config", "core.repositoryformatversion", "1" if doubt == "an extension" else "0")
    DOUBTS[doubt](repo / ".git")
    assert read_refs(repo / ".git", "refs/") is None
