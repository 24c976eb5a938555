"""A run's own git dir: what it begins with, what of it reaches the repository, and what does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.local.workspaces.repos import commit, git, head, make_repo

from autopack.git.private import private_dir
from autopack.git.runner import run_git
from autopack.git.worktree_entries import common_dir
from autopack.workspace_manager import WorkspaceManager


@pytest.fixture
def manager(repo: Path, tmp_path: Path) -> WorkspaceManager:
    return WorkspaceManager("run", repo, tmp_path / "w")


def start(manager: WorkspaceManager) -> Path:
    return manager.create_worktree("autopack/run", start_point="main")


def end(manager: WorkspaceManager) -> None:
    assert manager.remove_worktree(force=True)
    assert manager.problem == ""


class TestWhatItBeginsWith:
    def test_branches_tags_and_remote_branches_as_in_a_clone(self, repo: Path, manager: WorkspaceManager) -> None:
        git(repo, "tag", "-a", "-m", "one", "v1")
        git(repo, "update-ref", "refs/remotes/origin/main", head(repo))
        git(repo, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
        tree = start(manager)
        assert git(tree, "describe") == "v1"
        assert git(tree, "merge-base", "main", "origin/HEAD") == head(repo)
        assert git(tree, "status", "--porcelain=v2", "--branch").splitlines()[1] == "# branch.head autopack/run"

    def test_neither_the_stash_of_the_user_nor_what_is_kept_of_others(
        self, repo: Path, manager: WorkspaceManager
    ) -> None:
        (repo / "README.md").write_text("stashed\n", "utf-8")
        git(repo, "stash", "-q")
        git(repo, "update-ref", "refs/autopack/other", head(repo))
        tree = start(manager)
        assert git(tree, "stash", "list") == ""
        assert git(tree, "for-each-ref", "refs/autopack") == ""

    def test_settings_hooks_and_excludes(self, repo: Path, manager: WorkspaceManager) -> None:
        git(repo, "config", "alias.hi", "!echo hi")
        (repo / ".git/included").write_text("[alias]\n\tho = !echo ho\n", "utf-8")
        git(repo, "config", "include.path", "included")
        (repo / ".git/info").mkdir(exist_ok=True)
        (repo / ".git/info/exclude").write_text("*.tmp\n", "utf-8")
        (repo / ".git/hooks").mkdir(exist_ok=True)
        (repo / ".git/hooks/commit-msg").write_text("#!/bin/sh\necho hooked >>$1\n", "utf-8")
        (repo / ".git/hooks/commit-msg").chmod(0o755)
        tree = start(manager)
        assert [git(tree, "hi"), git(tree, "ho")] == ["hi", "ho"]
        (tree / "x.tmp").touch()
        assert git(tree, "status", "--porcelain") == ""
        run_git(["config", "core.hooksPath", ".git-hooks"], cwd=tree)
        assert (private_dir(common_dir(repo), tree) / "hooks/commit-msg").exists()

    @pytest.mark.parametrize("setting", ["core.bare", "core.logAllRefUpdates", "gc.auto", "maintenance.auto"])
    def test_each_setting_of_ours_is_there_once(self, repo: Path, manager: WorkspaceManager, setting: str) -> None:
        git(repo, "config", "gc.auto", "7")
        tree = start(manager)
        git(tree, "config", setting, "false")
        assert git(tree, "config", "--local", "--get-all", setting) == "false"

    def test_a_repository_of_another_format(self, tmp_path: Path) -> None:
        repo = tmp_path / "other"
        repo.mkdir()
        git(repo, "init", "-q", "-b", "main", "--object-format=sha256")
        git(repo, "config", "extensions.worktreeConfig", "true")
        commit(repo, {"a": "a"})
        made = WorkspaceManager("run", repo, tmp_path / "w")
        tree = start(made)
        sha = commit(tree, {"b": "b"})
        (tree / "c").write_text("c", "utf-8")
        end(made)
        assert git(repo, "rev-parse", "refs/heads/autopack/run", "refs/autopack/run^").split() == [sha, sha]

    def test_a_repository_whose_path_is_odd(self, tmp_path: Path) -> None:
        repo = make_repo(tmp_path / 'new\nline "quoted" #x')
        made = WorkspaceManager("run", repo, tmp_path / "w")
        sha = commit(start(made), {"b": "b"})
        end(made)
        assert git(repo, "rev-parse", "refs/heads/autopack/run") == sha


class TestWhatReachesTheRepository:
    def test_commits_come_with_the_end(self, repo: Path, manager: WorkspaceManager) -> None:
        tree = start(manager)
        sha = commit(tree, {"x": "x"})
        assert git(repo, "rev-parse", "refs/heads/autopack/run") == head(repo)
        assert git(repo, "log", "--all", "--format=%H") == head(repo)
        end(manager)
        assert git(repo, "rev-parse", "refs/heads/autopack/run", "refs/autopack/run").split() == [sha, sha]

    def test_new_branches_and_tags(self, repo: Path, manager: WorkspaceManager) -> None:
        tree = start(manager)
        git(tree, "checkout", "-q", "-b", "topic")
        sha = commit(tree, {"x": "x"})
        git(tree, "tag", "v2")
        end(manager)
        assert git(repo, "rev-parse", "refs/heads/topic", "refs/tags/v2").split() == [sha, sha]
        assert manager.saved is not None
        assert manager.saved.branch == "topic"

    def test_no_branch_or_tag_of_the_user_is_moved_or_deleted(self, repo: Path, manager: WorkspaceManager) -> None:
        git(repo, "branch", "feature")
        git(repo, "tag", "v1")
        before = git(repo, "for-each-ref", "refs/heads", "refs/tags")
        tree = start(manager)
        git(tree, "checkout", "-q", "main")
        sha = commit(tree, {"x": "x"})
        git(tree, "tag", "-f", "v1")
        git(tree, "branch", "-D", "feature")
        end(manager)
        assert git(repo, "for-each-ref", "refs/heads", "refs/tags") == before
        assert git(repo, "rev-parse", "refs/autopack/run") == sha
        assert manager.saved is not None
        assert manager.saved.branch is None

    def test_the_branch_that_a_run_was_given_goes_on_from_where_it_was(
        self, repo: Path, manager: WorkspaceManager
    ) -> None:
        git(repo, "branch", "feature")
        sha = commit(manager.create_worktree("feature"), {"x": "x"})
        end(manager)
        assert git(repo, "rev-parse", "refs/heads/feature") == sha

    def test_but_not_from_where_somebody_else_moved_it(self, repo: Path, manager: WorkspaceManager) -> None:
        git(repo, "branch", "feature")
        sha = commit(manager.create_worktree("feature"), {"x": "x"})
        moved = git(repo, "commit-tree", "-m", "theirs", "HEAD^{tree}")
        git(repo, "update-ref", "refs/heads/feature", moved)
        end(manager)
        assert git(repo, "rev-parse", "refs/heads/feature", "refs/autopack/run").split() == [moved, sha]

    def test_settings_and_stashes_of_a_run_stay_its_own(self, repo: Path, manager: WorkspaceManager) -> None:
        before = (repo / ".git/config").read_bytes()
        tree = start(manager)
        git(tree, "config", "user.name", "somebody else")
        git(tree, "remote", "add", "away", "https://example.invalid/x")
        (tree / "README.md").write_text("stashed\n", "utf-8")
        git(tree, "stash", "-q")
        stashed = git(tree, "rev-parse", "refs/stash")
        end(manager)
        assert (repo / ".git/config").read_bytes() == before
        assert git(repo, "stash", "list") == ""
        assert stashed in git(repo, "rev-list", "refs/autopack-history/run/1").split()


class TestWhatHasMissingParts:
    def test_a_clone_of_limited_depth_is_kept_as_a_pack(
        self, repo: Path, manager: WorkspaceManager, tmp_path: Path
    ) -> None:
        other = make_repo(tmp_path / "other", {"first": "first"})
        commit(other, {"second": "second"})
        tree = start(manager)
        git(tree, "clone", "-q", "--depth", "1", f"file://{other}", "deps.log")
        sha = commit(tree / "deps.log", {"third": "third"})
        (tree / "deps.log/dirty").write_text("dirty", "utf-8")
        end(manager)
        assert git(repo, "rev-parse", "--is-shallow-repository") == "false"
        assert git(repo, "fsck") == ""
        record = json.loads(git(repo, "show", "refs/autopack-history/run/1:record.json"))
        assert [(one["path"], one["head"]) for one in record["repositories"]] == [("deps.log", sha)]
        elsewhere = make_repo(tmp_path / "elsewhere")
        pack = run_git(["show", "refs/autopack-history/run/1:objects.pack"], cwd=repo).stdout
        run_git(["unpack-objects", "-q"], cwd=elsewhere, input=pack)
        snapshot = record["repositories"][0]["snapshot"]
        assert git(elsewhere, "show", f"{sha}:third") == "third"
        assert git(elsewhere, "show", f"{snapshot}:dirty") == "dirty"

    def test_a_run_that_destroyed_its_own_history_is_set_aside_with_its_git_dir(
        self, repo: Path, manager: WorkspaceManager
    ) -> None:
        tree = start(manager)
        commit(tree, {"x": "x"})
        sha = commit(tree, {"y": "y"})
        gone = git(tree, "rev-parse", "HEAD^")
        objects = private_dir(common_dir(repo), tree) / "objects"
        (objects / gone[:2] / gone[2:]).unlink()
        assert manager.remove_worktree(force=True)
        assert manager.aside is not None
        assert str(manager.aside) in manager.problem
        assert git(manager.aside, "rev-parse", "HEAD") == sha
        assert git(repo, "worktree", "list").count("\n") == 0
        assert not private_dir(common_dir(repo), tree).exists()
