"""Savepoints: a step that failed is undone, in one worktree only."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.local.workspaces.repos import commit, git, head

from autopack.errors import InvalidInput
from autopack.git.worktree import add_worktree
from autopack.rollback_manager import RollbackManager


@pytest.fixture
def tree(repo: Path, tmp_path: Path) -> Path:
    """A worktree on a branch of its own, with uncommitted work."""
    add_worktree(repo, tmp_path / "w/one", head(repo), "one")
    (tmp_path / "w/one/README.md").write_text("changed\n", "utf-8")
    (tmp_path / "w/one/new.txt").write_text("new\n", "utf-8")
    return tmp_path / "w/one"


def files(tree: Path) -> dict[str, str]:
    return {
        str(path.relative_to(tree)): path.read_text("utf-8")
        for path in tree.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(tree).parts
    }


def saved(tree: Path, phase: str = "phase 1") -> RollbackManager:
    manager = RollbackManager(tree, "my-run", phase)
    assert manager.create_savepoint() == (True, None)
    return manager


def test_a_rollback_restores_files_branch_and_status(tree: Path) -> None:
    before, status, commit_before = files(tree), git(tree, "status", "--porcelain"), head(tree)
    manager = saved(tree)
    (tree / "README.md").unlink()
    (tree / "new.txt").write_text("spoilt\n", "utf-8")
    (tree / "folder").mkdir()
    (tree / "folder/stray.txt").write_text("stray\n", "utf-8")
    commit(tree, {"src/a.py": "a = 9\n"})
    assert manager.rollback_to_savepoint("it failed") == (True, None)
    assert files(tree) == before
    assert not (tree / "folder").exists()
    assert git(tree, "status", "--porcelain") == status
    assert head(tree) == commit_before
    assert git(tree, "symbolic-ref", "--short", "HEAD") == "one"


def test_a_clean_tree_can_be_saved_and_restored(repo: Path, tmp_path: Path) -> None:
    add_worktree(repo, tmp_path / "w/two", head(repo))
    tree = tmp_path / "w/two"
    manager = saved(tree)
    (tree / "src/a.py").write_text("a = 9\n", "utf-8")
    assert manager.rollback_to_savepoint("it failed") == (True, None)
    assert git(tree, "status", "--porcelain") == ""


def test_what_was_undone_is_still_there(tree: Path) -> None:
    manager = saved(tree)
    (tree / "new.txt").write_text("spoilt\n", "utf-8")
    manager.rollback_to_savepoint("it failed")
    undone = git(tree, "for-each-ref", "--format=%(refname)", "refs/worktree/autopack/undone").split()[0]
    assert git(tree, "show", f"{undone}:new.txt") == "spoilt"


def test_ignored_files_are_not_touched(tree: Path) -> None:
    manager = saved(tree)
    (tree / "noise.log").write_text("noise\n", "utf-8")
    (tree / ".env").write_text("secret\n", "utf-8")
    assert manager.rollback_to_savepoint("it failed") == (True, None)
    assert (tree / ".env").exists()
    assert (tree / "noise.log").exists()


@pytest.mark.parametrize("name", [".env.local", "deep/data.db", ".vscode/settings.json"])
def test_a_new_protected_file_stops_a_rollback(tree: Path, name: str) -> None:
    manager = saved(tree)
    (tree / name).parent.mkdir(exist_ok=True)
    (tree / name).write_text("x", "utf-8")
    before = files(tree)
    done, why = manager.rollback_to_savepoint("it failed")
    assert (done, why) == (False, f"Protected files would be deleted: {name}")
    assert files(tree) == before
    assert manager.rollback_to_savepoint("it failed", safe_clean=False) == (True, None)


def test_other_worktrees_see_and_lose_nothing(repo: Path, tree: Path, tmp_path: Path) -> None:
    add_worktree(repo, tmp_path / "w/two", head(repo), "two")
    other = tmp_path / "w/two"
    (other / "work").write_text("mine", "utf-8")
    refs = git(repo, "for-each-ref")
    manager = saved(tree)
    (tree / "src/a.py").write_text("a = 9\n", "utf-8")
    manager.rollback_to_savepoint("it failed")
    assert git(repo, "for-each-ref") == refs
    assert git(other, "for-each-ref", "refs/worktree") == ""
    assert files(other)["work"] == "mine"


def test_a_branch_that_another_worktree_uses_is_not_moved(repo: Path, tree: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "-q", "--force", str(tmp_path / "w/two"), "one")
    done, why = saved(tree).rollback_to_savepoint("it failed")
    assert not done
    assert "branch one" in str(why)


def test_without_a_savepoint_there_is_nothing_to_go_back_to(tree: Path) -> None:
    assert RollbackManager(tree, "my-run", "p").rollback_to_savepoint("x") == (
        False,
        "there is no savepoint to go back to",
    )


def test_a_folder_without_repository_is_answered(tmp_path: Path) -> None:
    done, why = RollbackManager(tmp_path, "my-run", "p").create_savepoint()
    assert not done
    assert why


def test_only_the_newest_savepoints_are_kept(tree: Path) -> None:
    managers = [saved(tree, f"phase/{number}") for number in range(5)]
    managers[-1].cleanup_savepoint()
    left = git(tree, "for-each-ref", "--format=%(refname)", "refs/worktree/autopack/saved").split()
    kept = {manager.savepoint_tag for manager in managers[2:]}
    assert {ref for ref in left if not ref.endswith(".head")} == kept


def test_a_savepoint_can_be_forgotten_at_once(tree: Path) -> None:
    saved(tree).cleanup_savepoint(keep_last_n=False)
    assert git(tree, "for-each-ref", "refs/worktree") == ""


def test_old_savepoints_are_forgotten(tree: Path) -> None:
    saved(tree)
    assert RollbackManager.cleanup_old_savepoints(tree, 1) == 0
    assert RollbackManager.cleanup_old_savepoints(tree, 0) == 1


def test_a_bad_run_id_is_refused(tree: Path) -> None:
    with pytest.raises(InvalidInput):
        RollbackManager(tree, "../x", "p")
