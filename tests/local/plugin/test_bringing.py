"""Branches come into a clone checked, and never over somebody's work: real git."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.local.workspaces.repos import commit, git, make_repo

from autopack.errors import InvalidInput
from autopack_cli.cluster.bringing import bring, has_commit
from autopack_cli.cluster.problems import ClusterProblem

REF = "refs/runs/uid-1/a1/heads/autopack/x"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with one commit."""
    return make_repo(tmp_path / "clone")


@pytest.fixture
def bundle(clone: Path, tmp_path: Path) -> Path:
    """A run's branch: one commit after the clone's, under a name as on the volume."""
    git(tmp_path, "clone", "-q", str(clone), "run")
    run = tmp_path / "run"
    commit(run, {"new.txt": "new\n"}, "work of the run")
    git(run, "update-ref", REF, "HEAD")
    path = tmp_path / "work.bundle"
    git(run, "bundle", "create", "-q", str(path), "^origin/main", REF)
    return path


def test_a_branch_is_made_and_nothing_else_changes(clone: Path, bundle: Path) -> None:
    before = git(clone, "for-each-ref")
    sha, changed = bring(clone, bundle, REF, "autopack/x", force=False)
    assert changed
    assert git(clone, "log", "-1", "--format=%s", "refs/heads/autopack/x") == "work of the run"
    assert [line for line in git(clone, "for-each-ref").splitlines() if sha not in line] == before.splitlines()
    assert git(clone, "status", "--porcelain") == ""


def test_a_second_time_changes_nothing(clone: Path, bundle: Path) -> None:
    first = bring(clone, bundle, REF, "autopack/x", force=False)
    assert bring(clone, bundle, REF, "autopack/x", force=False) == (first[0], False)


def test_a_branch_that_is_checked_out_at_the_same_commit_is_there_already(clone: Path, bundle: Path) -> None:
    sha, _ = bring(clone, bundle, REF, "autopack/x", force=False)
    git(clone, "checkout", "-q", "refs/heads/autopack/x", "-B", "autopack/x")
    assert bring(clone, bundle, REF, "autopack/x", force=False) == (sha, False)


def test_a_branch_with_other_commits_is_kept(clone: Path, bundle: Path) -> None:
    git(clone, "checkout", "-q", "-b", "autopack/x")
    mine = commit(clone, {"mine.txt": "mine\n"})
    git(clone, "checkout", "-q", "main")
    with pytest.raises(ClusterProblem, match="--force to replace it"):
        bring(clone, bundle, REF, "autopack/x", force=False)
    assert git(clone, "rev-parse", "autopack/x") == mine
    assert bring(clone, bundle, REF, "autopack/x", force=True)[0] != mine


@pytest.mark.parametrize("force", [False, True])
def test_a_branch_that_is_checked_out_is_kept(clone: Path, bundle: Path, *, force: bool) -> None:
    before = git(clone, "rev-parse", "main")
    with pytest.raises(ClusterProblem, match="is checked out"):
        bring(clone, bundle, REF, "main", force=force)
    assert git(clone, "rev-parse", "main") == before


@pytest.mark.parametrize("branch", ["-x", "a b", "refs/heads/x", "x.lock"])
def test_a_bad_name_of_a_branch_is_refused(clone: Path, bundle: Path, branch: str) -> None:
    with pytest.raises(InvalidInput):
        bring(clone, bundle, REF, branch, force=False)


def test_a_damaged_bundle_makes_no_branch(clone: Path, bundle: Path) -> None:
    bundle.write_bytes(bundle.read_bytes()[:-40] + b"x" * 40)
    with pytest.raises(ClusterProblem):
        bring(clone, bundle, REF, "autopack/x", force=False)
    assert git(clone, "for-each-ref", "refs/heads/autopack") == ""


def test_no_hook_of_the_clone_is_run(clone: Path, bundle: Path) -> None:
    hook = clone / ".git" / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {clone}/sprung\n")
    hook.chmod(0o755)
    bring(clone, bundle, REF, "autopack/x", force=False)
    assert not (clone / "sprung").exists()


def test_it_is_known_whether_a_clone_has_a_commit(clone: Path) -> None:
    assert has_commit(clone, git(clone, "rev-parse", "HEAD"))
    assert not has_commit(clone, "0" * 40)
