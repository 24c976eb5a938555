"""What files tell of a repository is what git would have said."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.local.workspaces.repos import commit, git, head

from autopack.errors import WorkspaceError
from autopack.git import branches
from autopack.git.branches import Start
from autopack.git.layout import has_no_ref
from autopack.git.worktree_entries import common_dir, top_level


@pytest.fixture
def places(repo: Path, tmp_path: Path) -> dict[str, Path]:
    """Places that one may mean a repository by."""
    git(tmp_path, "clone", "-q", "--bare", str(repo), "bare.git")
    git(repo, "worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    git(tmp_path, "init", "-q", "--separate-git-dir", str(tmp_path / "apart.git"), str(tmp_path / "pointing"))
    (tmp_path / "link").symlink_to(repo)
    (tmp_path / "by-link").mkdir()
    (tmp_path / "by-link/.git").symlink_to(repo / ".git")
    git(tmp_path, "clone", "-q", str(repo), "moved")
    git(tmp_path / "moved", "config", "core.worktree", str(tmp_path / "linked"))
    names = ("repo", "bare.git", "linked", "pointing", "link", "by-link", "moved")
    return {name: tmp_path / name for name in names} | {"below": repo / "src", "inside": repo / ".git"}


PLACES = ["repo", "bare.git", "linked", "pointing", "link", "by-link", "moved", "below", "inside"]


@pytest.mark.parametrize("place", PLACES)
def test_the_shared_git_dir(places: dict[str, Path], place: str) -> None:
    told = git(places[place], "rev-parse", "--git-common-dir")
    assert common_dir(places[place]) == (places[place] / told).resolve()


@pytest.mark.parametrize("place", PLACES)
def test_the_top_of_the_work_tree(places: dict[str, Path], place: str) -> None:
    told = git(places[place], "rev-parse", "--show-toplevel", check=False)
    assert top_level(places[place]) == (Path(told) if told else None)


def plan(repo: Path, run: str, branch: str, start: str) -> Start:
    return branches.plan_start(repo, run, branch, start, branches.local_branches(common_dir(repo)))


NAMES = ["HEAD", "main", "topic", "a/b", "twin", "v1", "heads/main", "refs/heads/topic", "ORIG_HEAD", "config", "r"]


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_a_starting_point_is_what_git_takes_it_for(repo: Path, name: str, packed: bool) -> None:
    refs = ["heads/topic", "heads/a/b", "heads/twin", "tags/twin", "tags/v1", "heads/config", "heads/ORIG_HEAD"]
    for number, ref in enumerate([*refs, "heads/r", "remotes/r/HEAD"]):
        git(repo, "update-ref", f"refs/{ref}", commit(repo, {"n": str(number)}))
    git(repo, "reset", "-q", "--hard", "HEAD^")
    if packed:
        git(repo, "pack-refs", "--all")
    assert plan(repo, "run", "new", name).sha == git(repo, "rev-parse", f"{name}^{{commit}}")


def test_a_branch_called_like_a_commit_is_not_meant(repo: Path) -> None:
    first = head(repo)
    second = commit(repo, {"b": "b"})
    git(repo, "update-ref", f"refs/heads/{first}", second)
    assert plan(repo, "run", "new", first).sha == first


@pytest.mark.parametrize("place", ["repo", "bare.git", "linked", "below"])
def test_head_is_that_of_the_place(places: dict[str, Path], repo: Path, place: str) -> None:
    before = head(repo)
    commit(repo, {"b": "b"})
    assert plan(places[place], "run", "new", "HEAD").sha == head(places[place])
    assert (head(places[place]) == before) == (place in {"bare.git", "linked"})


def test_a_missing_starting_point_is_said(repo: Path) -> None:
    with pytest.raises(WorkspaceError) as caught:
        plan(repo, "run", "new", "nowhere")
    assert caught.value.reason == "RefNotFound"


@pytest.mark.parametrize("packed", [True, False])
def test_a_ref_that_is_there_is_never_denied(repo: Path, packed: bool) -> None:
    git(repo, "update-ref", "refs/autopack/one", head(repo))
    if packed:
        git(repo, "pack-refs", "--all")
    common = common_dir(repo)
    assert not has_no_ref(common, "refs/autopack/one")
    assert has_no_ref(common, "refs/autopack/on")
    assert has_no_ref(common, "refs/autopack/one-more")
    git(repo, "config", "extensions.worktreeConfig", "true")
    assert not has_no_ref(common, "refs/autopack/on")
