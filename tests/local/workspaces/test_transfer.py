"""Objects come into another repository whole and checked, one by one or as a pack."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import pytest
from tests.local.workspaces.repos import commit, git, head

from autopack.errors import AutopackError
from autopack.git.bare import make_bare
from autopack.git.keeping.keeper import reached
from autopack.git.runner import run_git
from autopack.git.transfer import bring_over


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A repository without any object."""
    git(tmp_path, "init", "-q", "--bare", "target.git")
    return tmp_path / "target.git"


@pytest.fixture
def ours(repo: Path, target: Path) -> Path:
    """A git dir that sees the objects of the target and of the repository."""
    git_dir = target.with_name("ours.git")
    make_bare(git_dir, "")
    stores = f"{target / 'objects'}\n{repo / '.git/objects'}\n"
    (git_dir / "objects/info/alternates").write_text(stores)
    return git_dir


def loose(git_dir: Path, sha: str) -> Path:
    """Return where an object lies that has a file for itself."""
    return git_dir / "objects" / sha[:2] / sha[2:]


@pytest.mark.parametrize("count", [3, 200])
def test_all_of_a_commit_is_there(repo: Path, ours: Path, target: Path, count: int) -> None:
    sha = commit(repo, {f"f{number}": f"{number}\n" for number in range(count)})
    ids = reached(ours, [sha], [])
    bring_over(ours, target, ids, repo / ".git/objects")
    assert reached(target, [sha], []) == ids
    git(target, "fsck", "--strict", "--full")
    assert len(list((target / "objects/pack").glob("*.pack"))) == (count > 100)
    assert not list((target / "objects").glob("tmp_obj_*"))
    assert head(repo) == sha


def test_what_was_made_in_ours_is_moved(ours: Path, target: Path) -> None:
    sha = run_git(["hash-object", "-w", "--stdin"], git_dir=ours, input=b"precious").text
    bring_over(ours, target, [sha], target)
    assert git(target, "cat-file", "blob", sha) == "precious"
    assert not loose(ours, sha).exists()


@pytest.mark.parametrize("size", [1 << 21, (1 << 20) - 20])
def test_a_large_file_comes_as_well(repo: Path, ours: Path, target: Path, size: int) -> None:
    sha = commit(repo, {"large": "x" * size})
    bring_over(ours, target, reached(ours, [sha], []), repo / ".git/objects")
    assert git(target, "cat-file", "-s", f"{sha}:large") == str(size)


def test_what_is_there_already_counts_as_new(repo: Path, ours: Path, target: Path) -> None:
    ids = reached(ours, [head(repo)], [])
    bring_over(ours, target, ids, repo / ".git/objects")
    os.utime(loose(target, head(repo)), (1, 1))
    bring_over(ours, target, ids, repo / ".git/objects")
    assert loose(target, head(repo)).stat().st_mtime > 1


DAMAGE = {
    "not compressed": b"nonsense",
    "other content": zlib.compress(b"blob 5\0other"),
    "cut off": zlib.compress(b"blob 9\0precious\n")[:-6],
    "empty": b"",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_object_is_refused(repo: Path, ours: Path, target: Path, damage: str) -> None:
    commit(repo, {"n": "precious\n"})
    sha = git(repo, "rev-parse", "HEAD:n")
    ids = reached(ours, [head(repo)], [])
    loose(repo / ".git", sha).chmod(0o644)
    loose(repo / ".git", sha).write_bytes(DAMAGE[damage])
    with pytest.raises(AutopackError):
        bring_over(ours, target, ids, repo / ".git/objects")
    assert not loose(target, sha).exists()
