"""What worktrees take on the disk: a tree each, and one object database for all of them."""

from __future__ import annotations

import os
from pathlib import Path

from tests.local.workspaces.repos import commit

from autopack.workspace_manager import WorkspaceManager

COUNT, FILES, SIZE = 5, 40, 64 * 1024


def used(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def test_worktrees_take_a_tree_each_and_share_the_object_database(repo: Path, tmp_path: Path) -> None:
    for number in range(FILES):
        (repo / f"file{number}").write_bytes(os.urandom(SIZE))
    commit(repo, {})
    before = used(repo / ".git/objects")
    git_dir = used(repo / ".git")
    managers = [WorkspaceManager(f"run-{n}", repo, tmp_path / "workspaces") for n in range(COUNT)]
    trees = [manager.create_worktree() for manager in managers]
    tree, growth = used(trees[0]), used(repo / ".git") - git_dir
    total = used(tmp_path / "workspaces")
    for manager in managers:
        manager.release()
    print(f"{COUNT} worktrees: {total} bytes = {COUNT} x {tree}; objects {before}; git dir +{growth // COUNT} each")
    assert used(repo / ".git/objects") == before
    assert tree >= FILES * SIZE
    # The .git files differ in the length of their paths.
    assert abs(total - COUNT * tree) < COUNT * 100
    assert growth < COUNT * tree / 20
