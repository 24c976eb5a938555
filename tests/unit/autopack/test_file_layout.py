"""One layout for local and cluster."""

from pathlib import Path

import pytest

from autopack.errors import InvalidInput
from autopack.file_layout import AttemptPaths, RunFileLayout, autonomous_runs_dir, mirror, repo_key, results

UID = "0a1b2c3d-4e5f-6789-abcd-ef0123456789"


def test_a_run_lies_where_the_guide_says(tmp_path: Path) -> None:
    layout = RunFileLayout("my-run", base_dir=tmp_path)
    assert layout.workspace_dir == tmp_path / "workspaces/my-run"
    assert layout.ci_dir == tmp_path / "my-run/ci"
    assert layout.baselines_dir == tmp_path / "my-run/baselines"
    assert layout.database_path == tmp_path / "my-run/my-run.db"
    assert layout.lock_path == tmp_path / ".locks/my-run.lock"


def test_artifacts_lie_outside_the_worktree(tmp_path: Path) -> None:
    layout = RunFileLayout("my-run", base_dir=tmp_path)
    assert not layout.ci_dir.is_relative_to(layout.workspace_dir)


def test_projects_keep_equal_run_ids_apart(tmp_path: Path) -> None:
    paths = {RunFileLayout("x", project, tmp_path).base_dir for project in (None, "one", "two")}
    assert len(paths) == 3


def test_the_folder_of_all_runs_comes_from_the_environment(tmp_path: Path) -> None:
    assert autonomous_runs_dir({"AUTONOMOUS_RUNS_DIR": str(tmp_path)}) == tmp_path
    assert autonomous_runs_dir({}) == Path.cwd() / ".autonomous_runs"


def test_ensure_directories_makes_the_artifact_folders(tmp_path: Path) -> None:
    RunFileLayout("a/b", base_dir=tmp_path).ensure_directories()
    assert sorted(path.name for path in (tmp_path / "a+b").iterdir()) == ["baselines", "ci", "logs"]


def test_an_attempt_has_a_folder_of_its_own() -> None:
    paths = AttemptPaths("my-run", UID, 2)
    assert paths.workspace == "workspaces/my-run/a2-0a1b2c3d"
    assert paths.artifacts == "my-run/a2-0a1b2c3d"
    assert paths.kept == ".kept/my-run/a2-0a1b2c3d"


@pytest.mark.parametrize(
    ("run_id", "uid", "attempt", "field"),
    [("../x", UID, 1, "run_id"), ("x", "../../etc", 1, "uid"), ("x", "", 1, "uid"), ("x", UID, 0, "attempt")],
)
def test_an_attempt_cannot_lead_out_of_the_volume(run_id: str, uid: str, attempt: int, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        AttemptPaths(run_id, uid, attempt)
    assert caught.value.field == field


def test_repositories_have_keys_by_url_and_by_name() -> None:
    assert len(repo_key(url="https://host/x")) == 34
    assert mirror(repo_key(name="demo")) == ".repos/n-demo/mirror.git"
    assert results("n-demo") == ".repos/n-demo/results.git"


@pytest.mark.parametrize("name", ["", "../x", "A", "a/b", "-a", "a.lock", "a..b", "a" * 64])
def test_a_bad_repository_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="repository"):
        repo_key(name=name)


def test_a_source_has_exactly_one_of_url_and_name() -> None:
    with pytest.raises(InvalidInput, match="source"):
        repo_key(url="https://host/x", name="x")
