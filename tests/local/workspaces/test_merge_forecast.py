"""Forecasts are tried on real branches and change nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.local.workspaces.repos import commit, git, head

from autopack.errors import InvalidInput, WorkspaceError
from autopack.merge_forecast import Conflict, merge_forecast


def branch(repo: Path, name: str, files: dict[str, str]) -> str:
    git(repo, "checkout", "-q", "-b", name, "main")
    commit(repo, files)
    git(repo, "checkout", "-q", "main")
    return name


@pytest.fixture
def branches(repo: Path) -> list[str]:
    """Two that clash over README.md, one that clashes with none, one with no news."""
    commit(repo, {"a.txt": "a\n", "b.txt": "b\n"})
    branch(repo, "autopack/one", {"README.md": "one\n", "a.txt": "one\n"})
    branch(repo, "autopack/two", {"README.md": "two\n", "b.txt": "two\n"})
    branch(repo, "autopack/three", {"new.txt": "new\n"})
    git(repo, "branch", "autopack/none", "main")
    git(repo, "branch", "feature", "main")
    return ["autopack/none", "autopack/one", "autopack/three", "autopack/two"]


def test_clashes_order_and_what_is_merged_already(repo: Path, branches: list[str]) -> None:
    forecast = merge_forecast(repo)
    assert forecast.merged == ("autopack/none",)
    assert forecast.conflicts == (Conflict("autopack/one", "autopack/two", ("README.md",)),)
    assert forecast.order == ("autopack/three", "autopack/one")
    assert forecast.left_out == (Conflict("HEAD", "autopack/two", ("README.md",)),)


def test_git_itself_merges_in_the_forecast_order(repo: Path, branches: list[str]) -> None:
    for name in merge_forecast(repo).order:
        git(repo, "merge", "-q", "--no-edit", name)


def test_a_clash_with_the_base_is_said(repo: Path, branches: list[str]) -> None:
    commit(repo, {"new.txt": "other\n"})
    forecast = merge_forecast(repo, ["autopack/three"], "main")
    assert forecast.conflicts == (Conflict("main", "autopack/three", ("new.txt",)),)
    assert forecast.order == ()


def test_three_may_clash_though_no_two_do(repo: Path) -> None:
    lines = [f"line {number} of the file\n" for number in range(20)]
    commit(repo, {"f": "".join(lines)})
    # Git sees that one moved the file while what the others changed in it is little; all changes together are much.
    branch(repo, "autopack/p", {"f": "".join(["p\n"] * 6 + lines[6:])})
    git(repo, "checkout", "-q", "autopack/p")
    git(repo, "mv", "f", "g")
    git(repo, "commit", "-q", "-m", "move")
    git(repo, "checkout", "-q", "main")
    branch(repo, "autopack/q", {"f": "".join(lines[:7] + ["q\n"] * 6 + lines[13:])})
    branch(repo, "autopack/r", {"f": "".join([*lines[:18], "r\n", lines[19]])})
    forecast = merge_forecast(repo)
    assert forecast.conflicts == ()
    assert forecast.order == ("autopack/p", "autopack/q")
    assert [left.second for left in forecast.left_out] == ["autopack/r"]


def test_nothing_in_the_repository_changes(repo: Path, branches: list[str]) -> None:
    before = git(repo, "count-objects", "-v"), git(repo, "for-each-ref"), head(repo)
    merge_forecast(repo)
    assert (git(repo, "count-objects", "-v"), git(repo, "for-each-ref"), head(repo)) == before
    assert git(repo, "status", "--porcelain") == ""


def test_branches_at_work_are_not_finished(repo: Path, branches: list[str], tmp_path: Path) -> None:
    git(repo, "worktree", "add", "-q", str(tmp_path / "w"), "autopack/one")
    assert merge_forecast(repo).order == ("autopack/three", "autopack/two")


def test_paths_with_odd_names_are_told_as_they_are(repo: Path) -> None:
    name = "odd é\n name"
    for word in ("one", "two"):
        branch(repo, f"autopack/{word}", {name: word})
    assert merge_forecast(repo).conflicts[0].paths == (name,)


def test_no_branches_give_an_empty_forecast(repo: Path) -> None:
    assert merge_forecast(repo).order == ()


def test_a_missing_branch_is_said(repo: Path) -> None:
    with pytest.raises(WorkspaceError, match="'nowhere'"):
        merge_forecast(repo, ["nowhere"])


@pytest.mark.parametrize(("names", "base"), [(["--output=x"], "HEAD"), ([], "--upload-pack=x")])
def test_a_bad_name_never_reaches_git(repo: Path, names: list[str], base: str) -> None:
    with pytest.raises(InvalidInput):
        merge_forecast(repo, names, base)
