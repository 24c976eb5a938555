"""The workspace manager on real repositories."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.local.workspaces.repos import commit, git, head, make_repo

from autopack.errors import InvalidInput, WorkspaceError
from autopack.leases.lease import LeaseHeld
from autopack.workspace_lease import WorkspaceLease
from autopack.workspace_manager import Preparation, WorkspaceManager

Make = Callable[..., WorkspaceManager]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "runs/workspaces"


@pytest.fixture
def manager(repo: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Builds managers of one repository and one folder of worktrees."""
    monkeypatch.setenv("AUTONOMOUS_RUNS_DIR", str(tmp_path / "runs"))

    def make(run_id: str = "my-run", **options: object) -> WorkspaceManager:
        return WorkspaceManager(run_id, repo, base, **options)  # type: ignore[arg-type]

    return make


def refs(repo: Path) -> set[str]:
    return set(git(repo, "for-each-ref", "--format=%(refname)").split())


class TestCreating:
    def test_the_context_manager_yields_a_whole_tree_and_removes_it(self, manager: Make, base: Path) -> None:
        with manager() as workspace:
            assert workspace == base / "my-run"
            assert (workspace / "src/a.py").exists()
        assert not workspace.exists()
        assert not list(base.iterdir())

    def test_without_a_branch_head_is_detached(self, manager: Make, repo: Path) -> None:
        workspace = manager().create_worktree()
        assert git(workspace, "rev-parse", "--abbrev-ref", "HEAD") == "HEAD"
        assert head(workspace) == head(repo)

    def test_a_free_branch_is_checked_out(self, manager: Make, repo: Path) -> None:
        git(repo, "branch", "feature")
        made = manager()
        made.create_worktree("feature")
        assert made.branch == "feature"

    def test_a_branch_in_use_gives_the_run_its_own_at_the_same_commit(self, manager: Make, repo: Path) -> None:
        made = manager()
        workspace = made.create_worktree("main")
        assert made.branch == "autopack/my-run"
        assert head(workspace) == head(repo)

    def test_a_remote_branch_becomes_a_local_one(self, manager: Make, repo: Path) -> None:
        git(repo, "update-ref", "refs/remotes/origin/topic", head(repo))
        made = manager()
        workspace = made.create_worktree("topic")
        assert git(workspace, "symbolic-ref", "HEAD") == "refs/heads/topic"

    def test_a_new_branch_begins_at_its_starting_point(self, manager: Make, repo: Path) -> None:
        first = head(repo)
        commit(repo, {"b": "b"})
        made = manager()
        workspace = made.create_worktree("autopack/my-run", start_point=first)
        assert (made.branch, head(workspace)) == ("autopack/my-run", first)

    def test_a_taken_name_gets_a_number(self, manager: Make, repo: Path) -> None:
        tree = manager("one").create_worktree("wanted", start_point="main")
        commit(tree, {"x": "x"})
        made = manager("two")
        made.create_worktree("wanted", start_point="main")
        assert made.branch == "wanted-2"

    @pytest.mark.parametrize(
        ("branch", "start", "reason"),
        [("nowhere", None, "RefNotFound"), (None, "nowhere", "RefNotFound"), (None, "0" * 40, "RefNotFound")],
    )
    def test_a_missing_ref_is_said(self, manager: Make, branch: str | None, start: str | None, reason: str) -> None:
        with pytest.raises(RuntimeError, match="git worktree add failed") as caught:
            manager().create_worktree(branch, start_point=start)
        assert isinstance(caught.value, WorkspaceError)
        assert caught.value.reason == reason

    @pytest.mark.parametrize(("branch", "start"), [("-x", None), ("a..b", "main"), (None, "--upload-pack=x")])
    def test_a_bad_name_never_reaches_git(self, manager: Make, branch: str | None, start: str | None) -> None:
        with pytest.raises(InvalidInput):
            manager().create_worktree(branch, start_point=start)

    def test_an_empty_repository_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        git(tmp_path / "empty", "init", "-q")
        with pytest.raises(WorkspaceError) as caught:
            WorkspaceManager("x", tmp_path / "empty", tmp_path / "w").create_worktree()
        assert caught.value.reason == "RepositoryEmpty"

    def test_a_folder_without_repository_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(WorkspaceError) as caught:
            WorkspaceManager("x", tmp_path, tmp_path / "w").create_worktree()
        assert caught.value.reason == "NotARepository"

    @pytest.mark.parametrize("run_id", ["../x", "/etc", "a/../../b", ".git/hooks/x", "a\0b", "$(id)", "x\u202ey"])
    def test_a_bad_run_id_is_refused(self, manager: Make, run_id: str) -> None:
        with pytest.raises(InvalidInput):
            manager(run_id)

    def test_a_slash_and_a_dash_have_trees_of_their_own(self, manager: Make) -> None:
        assert manager("a/b").create_worktree() != manager("a-b").create_worktree()

    def test_the_repository_comes_from_the_environment(
        self, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AUTOPACK_REPO_PATH", str(repo))
        monkeypatch.setenv("AUTONOMOUS_RUNS_DIR", str(tmp_path / "elsewhere"))
        with WorkspaceManager("x") as workspace:
            assert workspace == tmp_path / "elsewhere/workspaces/x"

    @pytest.mark.parametrize("missing", ["HEAD:src", "HEAD:src/a.py"])
    def test_a_failed_create_leaves_nothing(self, manager: Make, repo: Path, base: Path, missing: str) -> None:
        before = refs(repo)
        lost = git(repo, "rev-parse", missing)
        (repo / f".git/objects/{lost[:2]}/{lost[2:]}").unlink()
        with pytest.raises(RuntimeError, match="git worktree add failed"):
            manager().create_worktree("main")
        assert refs(repo) == before
        assert list(base.glob("*")) == []
        assert git(repo, "worktree", "list").count("\n") == 0


class TestClashes:
    def test_a_second_manager_does_not_touch_a_live_worktree(self, manager: Make) -> None:
        workspace = manager().create_worktree()
        (workspace / "work").write_text("mine", "utf-8")
        with pytest.raises(LeaseHeld, match="Workspace lease already held"):
            manager().create_worktree()
        assert not manager().remove_worktree(force=True)
        assert (workspace / "work").exists()

    def test_a_worktree_whose_lease_another_holds_is_not_touched(self, manager: Make) -> None:
        made = manager()
        workspace = made.create_worktree()
        made.release()
        with WorkspaceLease(workspace):
            with pytest.raises(LeaseHeld):
                manager().create_worktree()
            assert not manager().remove_worktree(force=True)
        assert workspace.exists()

    def test_the_run_may_take_the_lease_of_its_workspace(self, manager: Make) -> None:
        with manager() as workspace, WorkspaceLease(workspace):
            pass

    def test_a_duplicate_start_in_another_process_is_refused(self, manager: Make, repo: Path, base: Path) -> None:
        workspace = manager().create_worktree()
        program = (
            "import sys; from pathlib import Path; from autopack.workspace_manager import WorkspaceManager\n"
            "WorkspaceManager('my-run', Path(sys.argv[1]), Path(sys.argv[2])).create_worktree()"
        )
        done = subprocess.run([sys.executable, "-c", program, repo, base], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "Workspace lease already held" in done.stderr
        assert workspace.exists()

    def test_a_folder_that_is_no_worktree_is_left_alone(self, manager: Make, base: Path) -> None:
        (base / "my-run").mkdir(parents=True)
        (base / "my-run/thesis.txt").write_text("mine", "utf-8")
        with pytest.raises(RuntimeError, match="is not a worktree of this repository"):
            manager().create_worktree()
        assert not manager().remove_worktree(force=True)
        assert (base / "my-run/thesis.txt").exists()

    def test_a_worktree_of_another_repository_is_left_alone(self, manager: Make, base: Path, tmp_path: Path) -> None:
        other = make_repo(tmp_path / "other")
        git(other, "worktree", "add", "-q", "--detach", str(base / "my-run"))
        with pytest.raises(RuntimeError, match="is not a worktree of this repository"):
            manager().create_worktree()

    def test_a_symlink_to_another_run_is_left_alone(self, manager: Make, base: Path) -> None:
        other = manager("other").create_worktree()
        (base / "my-run").symlink_to(other)
        with pytest.raises(RuntimeError):
            manager().create_worktree()
        assert not manager().remove_worktree(force=True)
        assert other.exists()

    def test_a_worktree_that_a_person_locked_stays(self, manager: Make, repo: Path) -> None:
        made = manager()
        workspace = made.create_worktree()
        git(repo, "worktree", "lock", "--reason", "mine", str(workspace))
        assert not made.remove_worktree(force=True)
        assert "locked (mine)" in made.problem


class TestRemoving:
    def test_a_clean_worktree_goes(self, manager: Make, repo: Path) -> None:
        made = manager()
        workspace = made.create_worktree()
        before = refs(repo)
        assert made.remove_worktree()
        assert not workspace.exists()
        assert refs(repo) == before

    def test_uncommitted_work_stays_and_is_saved(self, manager: Make, repo: Path) -> None:
        made = manager()
        workspace = made.create_worktree()
        (workspace / "work").write_text("mine", "utf-8")
        assert not made.remove_worktree()
        assert "uncommitted changes" in made.problem
        assert (workspace / "work").exists()
        assert git(repo, "show", "refs/autopack/my-run:work") == "mine"

    def test_by_force_uncommitted_work_is_saved_and_goes(self, manager: Make, repo: Path) -> None:
        made = manager()
        workspace = made.create_worktree()
        (workspace / "work").write_text("mine", "utf-8")
        assert made.remove_worktree(force=True)
        assert not workspace.exists()
        assert git(repo, "show", "refs/autopack/my-run:work") == "mine"

    def test_commits_on_a_branch_are_safe_without_force(self, manager: Make, repo: Path) -> None:
        made = manager()
        workspace = made.create_worktree("autopack/my-run", start_point="main")
        sha = commit(workspace, {"x": "x"})
        assert made.remove_worktree()
        assert git(repo, "rev-parse", "autopack/my-run") == sha

    def test_a_branch_that_got_no_commit_goes_too(self, manager: Make, repo: Path) -> None:
        before = refs(repo)
        made = manager()
        made.create_worktree("autopack/my-run", start_point="main")
        made.remove_worktree()
        assert refs(repo) == before

    def test_a_branch_that_was_there_before_stays(self, manager: Make, repo: Path) -> None:
        git(repo, "branch", "feature")
        made = manager()
        made.create_worktree("feature")
        made.remove_worktree()
        assert "refs/heads/feature" in refs(repo)

    def test_an_empty_branch_that_another_worktree_uses_stays(self, manager: Make, repo: Path, tmp_path: Path) -> None:
        made = manager()
        made.create_worktree("autopack/my-run", start_point="main")
        git(repo, "worktree", "add", "-q", "--force", str(tmp_path / "other"), "autopack/my-run")
        assert made.remove_worktree()
        assert "refs/heads/autopack/my-run" in refs(repo)

    def test_a_branch_deleted_under_a_run_takes_no_work_along(self, manager: Make, repo: Path) -> None:
        made = manager()
        workspace = made.create_worktree("autopack/my-run", start_point="main")
        sha = commit(workspace, {"x": "x"})
        git(repo, "update-ref", "-d", "refs/heads/autopack/my-run")
        assert made.remove_worktree(force=True)
        assert sha in git(repo, "rev-list", "--glob=refs/autopack*").split()

    def test_commits_of_a_detached_head_need_force_and_are_pinned(self, manager: Make, repo: Path) -> None:
        made = manager()
        workspace = made.create_worktree()
        sha = commit(workspace, {"x": "x"})
        assert not made.remove_worktree()
        assert "commits that no branch has" in made.problem
        assert made.remove_worktree(force=True)
        assert git(repo, "rev-parse", "refs/autopack/my-run") == sha

    def test_commits_that_only_the_reflog_knew_are_kept(self, manager: Make, repo: Path) -> None:
        made = manager()
        workspace = made.create_worktree()
        shas = {commit(workspace, {"x": f"{number}"}, f"{number}") for number in range(2)}
        git(workspace, "reset", "-q", "--hard", "main")
        shas.add(commit(workspace, {"y": "y"}))
        git(workspace, "reset", "-q", "--hard", "main")
        assert made.remove_worktree()
        kept = git(repo, "rev-list", "refs/autopack-history/my-run/1").split()
        assert shas <= set(kept)

    def test_work_of_an_earlier_life_is_not_overwritten(self, manager: Make, repo: Path) -> None:
        for number in range(3):
            with manager() as workspace:
                (workspace / "work").write_text(f"{number}", "utf-8")
        history = [git(repo, "show", f"refs/autopack-history/my-run/{n}:work") for n in (1, 2)]
        assert [*history, git(repo, "show", "refs/autopack/my-run:work")] == ["0", "1", "2"]

    def test_a_worktree_left_behind_is_saved_before_it_is_made_anew(self, manager: Make, repo: Path) -> None:
        made = manager()
        workspace = made.create_worktree()
        (workspace / "work").write_text("mine", "utf-8")
        made.release()
        manager().create_worktree()
        assert not (workspace / "work").exists()
        assert git(repo, "show", "refs/autopack/my-run:work") == "mine"

    @pytest.mark.parametrize("damage", ["prune", "unlink"])
    def test_a_tree_that_git_has_lost_is_saved_all_the_same(self, manager: Make, repo: Path, damage: str) -> None:
        made = manager()
        workspace = made.create_worktree()
        (workspace / "work").write_text("mine", "utf-8")
        made.release()
        if damage == "unlink":
            (workspace / ".git").unlink()
        else:
            workspace.rename(workspace.with_name("away"))
            git(repo, "worktree", "prune")
            workspace.with_name("away").rename(workspace)
        manager().create_worktree()
        assert git(repo, "show", "refs/autopack/my-run:work") == "mine"

    def test_commits_of_a_worktree_whose_folder_vanished_are_pinned(self, manager: Make, repo: Path) -> None:
        made = manager()
        workspace = made.create_worktree()
        sha = commit(workspace, {"x": "x"})
        made.release()
        workspace.rename(workspace.parent.parent / "gone")
        manager().create_worktree()
        assert sha in git(repo, "rev-list", "refs/autopack-history/my-run/1").split()

    def test_a_stale_index_lock_of_a_crashed_git_does_not_matter(self, manager: Make, repo: Path) -> None:
        made = manager()
        workspace = made.create_worktree()
        Path(git(workspace, "rev-parse", "--git-path", "index.lock")).touch()
        (workspace / "work").write_text("mine", "utf-8")
        assert made.remove_worktree(force=True)
        assert git(repo, "show", "refs/autopack/my-run:work") == "mine"

    def test_removing_what_is_not_there_succeeds(self, manager: Make) -> None:
        assert manager().remove_worktree()

    def test_an_exception_in_the_run_still_saves_and_removes(self, manager: Make, repo: Path) -> None:
        def run(workspace: Path) -> None:
            (workspace / "work").write_text("mine", "utf-8")
            raise ZeroDivisionError

        made = manager()
        with pytest.raises(ZeroDivisionError), made as workspace:
            run(workspace)
        assert not made.worktree_path.exists()
        assert git(repo, "show", "refs/autopack/my-run:work") == "mine"

    def test_what_git_cannot_save_is_set_aside(self, manager: Make, repo: Path, base: Path) -> None:
        made = manager()
        workspace = made.create_worktree()
        (workspace / "work").write_text("mine", "utf-8")
        # A git dir without HEAD is no repository any more.
        Path(git(workspace, "rev-parse", "--absolute-git-dir"), "HEAD").unlink()
        assert not made.remove_worktree()
        assert made.remove_worktree(force=True)
        assert [path.read_text("utf-8") for path in base.glob(".unsaved/my-run-*/work")] == ["mine"]


class TestPreparing:
    def test_setup_commands_run_in_the_fresh_worktree(self, manager: Make, tmp_path: Path) -> None:
        command = ["sh", "-c", 'echo "$AUTOPACK_RUN_ID" > made; pwd']
        log = tmp_path / "setup.log"
        workspace = manager(preparation=Preparation(setup=[command], setup_log=log)).create_worktree()
        assert (workspace / "made").read_text("utf-8") == "my-run\n"
        assert log.read_text("utf-8") == f"{workspace}\n"

    @pytest.mark.parametrize(
        ("command", "said"),
        [
            (["sh", "-c", "echo why >&2; exit 3"], "exit code 3: why"),
            (["no-such-program"], "cannot be started"),
            (["sleep", "60"], "took more than"),
        ],
    )
    def test_a_failed_setup_is_said_and_leaves_nothing(
        self, manager: Make, repo: Path, base: Path, command: list[str], said: str
    ) -> None:
        before = refs(repo)
        made = manager(preparation=Preparation(setup=[command], setup_timeout=0.5))
        with pytest.raises(WorkspaceError, match=said) as caught:
            made.create_worktree("main")
        assert caught.value.reason == "SetupFailed"
        assert refs(repo) == before
        assert not list(base.iterdir())

    def test_included_files_are_copied_and_others_not(self, manager: Make, repo: Path) -> None:
        commit(
            repo,
            {".worktreeinclude": ".env\nlocal/\nREADME.md\nuntracked.txt\n", ".gitignore": ".env\nlocal/\n*.log\n"},
        )
        for name in (".env", "local/deep/x", "noise.log", "untracked.txt"):
            (repo / name).parent.mkdir(parents=True, exist_ok=True)
            (repo / name).write_text(name, "utf-8")
        (repo / ".env").chmod(0o600)
        workspace = manager().create_worktree()
        assert (workspace / ".env").stat().st_mode & 0o777 == 0o600
        assert (workspace / "local/deep/x").read_text("utf-8") == "local/deep/x"
        assert not (workspace / "noise.log").exists()
        assert not (workspace / "untracked.txt").exists()

    def test_an_included_file_cannot_leave_the_tree_by_a_symlink(
        self, manager: Make, repo: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "outside").mkdir()
        (repo / "door").symlink_to(tmp_path / "outside")
        commit(repo, {".worktreeinclude": "secret\nescape\n", ".gitignore": "secret\nescape\n"})
        (repo / "door").unlink()
        (repo / "door").mkdir()
        (repo / "door/secret").write_text("x", "utf-8")
        (repo / "escape").symlink_to("/etc")
        workspace = manager().create_worktree()
        assert not (tmp_path / "outside/secret").exists()
        assert not (workspace / "escape").is_symlink()

    def test_submodules_are_refused_unless_allowed(self, manager: Make, repo: Path, tmp_path: Path) -> None:
        library = make_repo(tmp_path / "library")
        git(repo, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "lib")
        git(repo, "commit", "-q", "-m", "submodule")
        with pytest.raises(WorkspaceError, match="lib") as caught:
            manager().create_worktree()
        assert caught.value.reason == "SubmodulesPresent"
        workspace = manager(preparation=Preparation(allow_incomplete=True)).create_worktree()
        assert not list((workspace / "lib").iterdir())

    def test_lfs_is_refused_where_it_is_not_installed(
        self, manager: Make, repo: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        commit(repo, {"big/.gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"})
        with pytest.raises(WorkspaceError) as caught:
            manager().create_worktree()
        assert caught.value.reason == "LfsMissing"
        assert manager(preparation=Preparation(allow_incomplete=True)).create_worktree().exists()


class TestListing:
    def test_the_main_and_all_other_worktrees_are_listed(self, manager: Make, repo: Path) -> None:
        detached = manager("one").create_worktree()
        on_branch = manager("two").create_worktree("main")
        listed = WorkspaceManager.list_worktrees(repo)
        assert listed == [
            {"path": str(repo), "commit": head(repo), "branch": "refs/heads/main"},
            {"path": str(detached), "commit": head(repo), "detached": True},
            {"path": str(on_branch), "commit": head(repo), "branch": "refs/heads/autopack/two"},
        ]
