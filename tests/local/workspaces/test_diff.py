"""What a run changed, at work and afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.local.workspaces.repos import commit, git, head

from autopack.diff import run_diff
from autopack.errors import InvalidInput, WorkspaceError
from autopack.workspace_manager import WorkspaceManager


@pytest.fixture
def manager(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkspaceManager:
    monkeypatch.setenv("AUTONOMOUS_RUNS_DIR", str(tmp_path / "runs"))
    return WorkspaceManager("my-run", repo)


def diff(repo: Path, **options: bool) -> str:
    return run_diff(repo, "my-run", **options).data.decode()  # type: ignore[arg-type]


def work(workspace: Path) -> None:
    commit(workspace, {"committed.txt": "committed\n"})
    (workspace / "new.txt").write_text("new\n", "utf-8")
    (workspace / "noise.log").write_text("noise\n", "utf-8")


def test_a_run_at_work_shows_all_but_ignored_files(repo: Path, manager: WorkspaceManager) -> None:
    work(manager.create_worktree("autopack/my-run", start_point="main"))
    said = diff(repo)
    assert "+committed\n" in said
    assert "+new\n" in said
    assert "noise" not in said


def test_looking_at_a_run_changes_nothing_in_it(repo: Path, manager: WorkspaceManager) -> None:
    workspace = manager.create_worktree("autopack/my-run", start_point="main")
    work(workspace)
    index = Path(git(workspace, "rev-parse", "--absolute-git-dir")) / "index"
    before = index.read_bytes(), git(repo, "count-objects", "-v")
    diff(repo)
    assert (index.read_bytes(), git(repo, "count-objects", "-v")) == before


def test_a_run_that_has_gone_shows_the_same(repo: Path, manager: WorkspaceManager) -> None:
    work(manager.create_worktree("autopack/my-run", start_point="main"))
    at_work = diff(repo)
    assert manager.remove_worktree(force=True)
    assert diff(repo) == at_work


def test_the_branch_counts_when_the_snapshot_is_of_an_earlier_life(repo: Path, manager: WorkspaceManager) -> None:
    with manager as workspace:
        (workspace / "old.txt").write_text("old\n", "utf-8")
    commit(manager.create_worktree("autopack/my-run", start_point="main"), {"newer.txt": "newer\n"})
    assert manager.remove_worktree()
    assert "+newer\n" in diff(repo)
    assert "old.txt" not in diff(repo)


def test_what_others_did_since_is_not_shown(repo: Path, manager: WorkspaceManager) -> None:
    work(manager.create_worktree("autopack/my-run", start_point="main"))
    manager.remove_worktree(force=True)
    commit(repo, {"others.txt": "others\n"})
    assert "others" not in diff(repo)


def test_a_base_can_be_given(repo: Path, manager: WorkspaceManager) -> None:
    workspace = manager.create_worktree("autopack/my-run", start_point="main")
    middle = commit(workspace, {"first.txt": "first\n"})
    commit(workspace, {"second.txt": "second\n"})
    found = run_diff(repo, "my-run", base=middle)
    assert found.base == middle
    assert b"first.txt" not in found.data


def test_a_summary_names_the_files(repo: Path, manager: WorkspaceManager) -> None:
    work(manager.create_worktree())
    assert "2 files changed" in diff(repo, stat=True)


def test_a_configured_diff_program_does_not_run(repo: Path, manager: WorkspaceManager, tmp_path: Path) -> None:
    git(repo, "config", "diff.external", f"touch {tmp_path}/ran")
    work(manager.create_worktree())
    diff(repo)
    assert not (tmp_path / "ran").exists()


def test_an_unknown_run_is_said(repo: Path) -> None:
    with pytest.raises(WorkspaceError) as caught:
        run_diff(repo, "nobody", worktree_base=repo.parent)
    assert caught.value.reason == "RunUnknown"


@pytest.mark.parametrize(("run_id", "base"), [("../x", None), ("my-run", "--output=x")])
def test_bad_names_never_reach_git(repo: Path, manager: WorkspaceManager, run_id: str, base: str | None) -> None:
    manager.create_worktree()
    with pytest.raises(InvalidInput):
        run_diff(repo, run_id, base=base)
    assert head(repo)


@pytest.mark.parametrize("gone", [False, True], ids=["at work", "gone"])
def test_a_file_that_is_no_text_can_be_applied_elsewhere(
    repo: Path, manager: WorkspaceManager, tmp_path: Path, gone: bool
) -> None:
    begun, content = head(repo), bytes(range(256))
    workspace = manager.create_worktree("autopack/my-run", start_point="main")
    (workspace / "image").write_bytes(content)
    assert not gone or manager.remove_worktree(force=True)
    (tmp_path / "patch").write_bytes(run_diff(repo, "my-run", binary=True).data)
    git(repo, "worktree", "add", "-q", "--detach", str(tmp_path / "elsewhere"), begun)
    git(tmp_path / "elsewhere", "apply", str(tmp_path / "patch"))
    assert (tmp_path / "elsewhere/image").read_bytes() == content
