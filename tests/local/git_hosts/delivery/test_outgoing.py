"""A run's commits, looked at and squashed by real git, with nothing written where they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.local.git_hosts.delivery.repos import Work, git

from autopack.delivery.outgoing import Outgoing
from autopack.delivery.refusal import Refused
from autopack.errors import AutopackError

TOKEN = "ghp_" + "q7Zr2LmX9wKp4TvB8nYc3HsD6fGjQ1aE5uWo"


@pytest.fixture
def work(tmp_path: Path) -> Work:
    (tmp_path / "volume").mkdir()
    return Work(tmp_path / "tree", tmp_path / "volume")


def outgoing(work: Work, scratch: Path, base: str = "") -> tuple[Outgoing, str]:
    commit = work.imported()
    scratch.mkdir()
    return Outgoing(work.results / "objects", scratch, base or work.base, commit, 60), commit


def test_changes_are_paths_and_what_comes_along(work: Work, tmp_path: Path) -> None:
    work.commit({"big": "x" * 1000, "a name\nwith lines": "1"})
    work.commit({"big": None, "README": "other\n"})
    found, commit = outgoing(work, tmp_path / "scratch")
    found.check()
    assert found.changes(commit) == (("README", "a name\nwith lines"), 1000 + 1 + 6)
    assert found.changes(found.squashed("all")) == (("README", "a name\nwith lines"), 1 + 6)


def test_a_squashed_commit_is_the_same_every_time(work: Work, tmp_path: Path) -> None:
    work.commit({"a": "1"})
    work.commit({"b": "2"})
    first, commit = outgoing(work, tmp_path / "one")
    second, _ = outgoing(work, tmp_path / "two")
    one = first.squashed("Title\n\nBody ä\n")
    assert one == second.squashed("Title\n\nBody ä\n")
    assert git(first.repository, "log", "-1", "--format=%P %an %B", one) == f"{work.base} Agent Title\n\nBody ä"
    assert git(first.repository, "diff", commit, one) == ""
    assert git(first.repository, "log", "-1", "--format=%ad %cd", one) == git(
        work.folder, "log", "-1", "--format=%ad %cd", commit
    )


def test_nothing_is_written_where_the_commits_are(work: Work, tmp_path: Path) -> None:
    work.commit({"a": "1"})
    found, commit = outgoing(work, tmp_path / "scratch")
    before = sorted((str(path), path.stat().st_mtime_ns) for path in work.volume.rglob("*"))
    found.check()
    found.changes(commit)
    found.scan(found.squashed("all"))
    assert sorted((str(path), path.stat().st_mtime_ns) for path in work.volume.rglob("*")) == before


def test_a_secret_is_found_in_every_commit_but_not_shown(work: Work, tmp_path: Path) -> None:
    work.commit({"README": f"read me\nnot this: {TOKEN}\n", ".gitattributes": "* -diff binary\n"})
    work.commit({"README": "read me\n"})
    found, commit = outgoing(work, tmp_path / "scratch")
    with pytest.raises(Refused, match=r"README:2 \(github-token, ") as caught:
        found.scan(commit)
    assert TOKEN not in str(caught.value)
    # What is squashed does not have it any more.
    found.scan(found.squashed("all"))


def test_a_secret_is_found_in_binary_files_and_merges(work: Work, tmp_path: Path) -> None:
    work.commit({"data.bin": f"\0\1{TOKEN}\0"})
    found, commit = outgoing(work, tmp_path / "scratch")
    with pytest.raises(Refused, match=r"data\.bin:1"):
        found.scan(commit)
    git(work.folder, "checkout", "-q", "--orphan", "other")
    work.commit({"data.bin": "clean"})
    git(work.folder, "merge", "-q", "--allow-unrelated-histories", "-s", "ours", "--no-commit", work.base)
    work.commit({"merged": TOKEN}, "merge")
    merge, commit = outgoing(work, tmp_path / "merge")
    with pytest.raises(Refused, match="merged:1"):
        merge.scan(commit)


def test_what_was_there_before_is_no_finding(work: Work, tmp_path: Path) -> None:
    base = work.commit({"old": f"{TOKEN}\n" + "line\n" * 50})
    git(work.folder, "mv", "old", "new")
    work.commit({"a": "1"})
    found, commit = outgoing(work, tmp_path / "scratch", base)
    found.scan(commit)


def test_own_commits_lead_from_the_base_to_the_tip(work: Work, tmp_path: Path) -> None:
    first = work.commit({"a": "1"})
    work.commit({"b": "1"})
    found, commit = outgoing(work, tmp_path / "scratch")
    assert [found.is_own(sha, commit) for sha in (first, commit, work.base, "0" * 40, "--help")] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_a_run_that_changed_nothing(work: Work, tmp_path: Path) -> None:
    work.commit({})
    with pytest.raises(Refused, match="changed nothing"):
        outgoing(work, tmp_path / "scratch")[0].check()


def test_a_commit_that_is_not_there(work: Work, tmp_path: Path) -> None:
    with pytest.raises(AutopackError, match="no base 1111"):
        outgoing(work, tmp_path / "scratch", "1" * 40)[0].check()
