"""Worktrees added and removed on a real repository."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.local.workspaces.repos import commit, git, head

from autopack.errors import AutopackError
from autopack.git import worktree
from autopack.git.runner import GitError
from autopack.git.worktree import add_worktree, empty_trash, remove_worktree
from autopack.git.worktree_entries import Note, common_dir, registration_of, registrations


def test_a_worktree_stands_at_the_commit_on_its_branch(repo: Path, tmp_path: Path) -> None:
    path = tmp_path / "w/one"
    add_worktree(repo, path, head(repo), "autopack/one")
    assert (path / "src/a.py").read_text("utf-8") == "a = 1\n"
    assert git(path, "symbolic-ref", "HEAD") == "refs/heads/autopack/one"
    assert git(path, "status", "--porcelain") == ""
    assert [item.name for item in (tmp_path / "w").iterdir()] == ["one"]


def test_git_itself_agrees_with_what_was_made(repo: Path, tmp_path: Path) -> None:
    path = tmp_path / "w/one"
    add_worktree(repo, path, head(repo))
    listed = git(repo, "worktree", "list", "--porcelain")
    assert f"worktree {path}\n" in listed
    assert "prunable" not in listed
    assert "locked" not in listed
    git(repo, "worktree", "remove", str(path))


def test_a_ready_worktree_knows_where_it_began(repo: Path, tmp_path: Path) -> None:
    add_worktree(repo, tmp_path / "w/one", head(repo), "b")
    entry = registration_of(common_dir(repo), tmp_path / "w/one")
    assert entry is not None
    assert entry.note == Note(head(repo), "b", own_branch=False)
    assert not entry.half_made


def test_an_existing_path_is_left_alone(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "w/one").mkdir(parents=True)
    (tmp_path / "w/one/work").write_text("mine", "utf-8")
    with pytest.raises(AutopackError) as caught:
        add_worktree(repo, tmp_path / "w/one", head(repo))
    assert caught.value.reason == "WorkspaceExists"
    assert (tmp_path / "w/one/work").exists()


def test_an_empty_mount_point_is_filled_in_place(repo: Path, tmp_path: Path) -> None:
    path = tmp_path / "mount"
    path.mkdir()
    inode = path.stat().st_ino
    add_worktree(repo, path, head(repo), "b", in_place=True)
    assert path.stat().st_ino == inode
    assert (path / "README.md").exists()


def test_a_failed_add_leaves_nothing_and_a_retry_works(repo: Path, tmp_path: Path) -> None:
    path = tmp_path / "w/one"
    with pytest.raises(GitError):
        add_worktree(repo, path, "0" * 40, "b")
    add_worktree(repo, path, head(repo), "b")
    assert [item.name for item in (tmp_path / "w").iterdir() if item.name != ".trash"] == ["one"]
    assert len(list(registrations(common_dir(repo)))) == 1


def test_a_worktree_whose_folder_vanished_is_made_again(repo: Path, tmp_path: Path) -> None:
    path = tmp_path / "w/one"
    add_worktree(repo, path, head(repo), "b")
    path.rename(tmp_path / "elsewhere")
    add_worktree(repo, path, head(repo), "b")
    assert len(list(registrations(common_dir(repo)))) == 1


def test_a_bare_repository_has_worktrees_too(repo: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repo), "bare.git")
    add_worktree(tmp_path / "bare.git", tmp_path / "w/one", head(repo))
    assert (tmp_path / "w/one/README.md").exists()


def test_the_planted_hook_of_a_repository_does_not_run_on_checkout(repo: Path, tmp_path: Path) -> None:
    hook = repo / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", "utf-8")
    hook.chmod(0o755)
    add_worktree(repo, tmp_path / "w/one", head(repo))
    assert not (tmp_path / "ran").exists()


def test_removing_takes_the_tree_and_its_registration_and_leaves_the_branch(repo: Path, tmp_path: Path) -> None:
    path = tmp_path / "w/one"
    add_worktree(repo, path, head(repo), "b")
    gone = remove_worktree(repo, path)
    assert gone is not None
    assert not path.exists()
    assert git(repo, "worktree", "list").count("\n") == 0
    assert git(repo, "rev-parse", "b") == head(repo)
    empty_trash(path.parent)
    assert not gone.exists()


def test_removing_twice_is_no_error(repo: Path, tmp_path: Path) -> None:
    add_worktree(repo, tmp_path / "w/one", head(repo))
    remove_worktree(repo, tmp_path / "w/one")
    assert remove_worktree(repo, tmp_path / "w/one") is None


def test_many_remove_at_once_and_each_empties_the_trash(tmp_path: Path) -> None:
    def remove_many(worker: int) -> list[Path]:
        removed = []
        for number in range(150):
            tree = tmp_path / f"tree-{worker}-{number}"
            tree.mkdir()
            removed.append(worktree.drop(tree, tmp_path))
            empty_trash(tmp_path)
        return removed

    with ThreadPoolExecutor(8) as workers:
        removed = [path for paths in workers.map(remove_many, range(8)) for path in paths]
    assert len(removed) == 8 * 150
    assert list(tmp_path.iterdir()) == []


def test_a_prune_by_somebody_else_does_not_take_a_worktree_being_made(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prune(step: str) -> None:
        if step == "worktree.before_rename":
            git(repo, "worktree", "prune", "--expire=now")

    monkeypatch.setattr(worktree, "hit", prune)
    add_worktree(repo, tmp_path / "w/one", head(repo))
    assert git(tmp_path / "w/one", "status", "--porcelain") == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_full_disk_is_said_and_leaves_nothing(repo: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        sha = commit(repo, {f"big{number}": "x" * 30_000 for number in range(5)})
        with pytest.raises(AutopackError, match="unable to write"):
            add_worktree(repo, small / "w/one", sha, "b", own_branch=True)
        assert not git(repo, "branch", "--list", "b")
        assert git(repo, "worktree", "list").count("\n") == 0
        add_worktree(repo, tmp_path / "w/two", sha)
    finally:
        subprocess.run(["umount", small], check=True)
