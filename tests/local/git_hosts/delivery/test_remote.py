"""A push moves a branch only from where it was seen."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.local.git_hosts.delivery.repos import Work, git

from autopack.delivery.push_answers import Moved
from autopack.delivery.remote import Remote, Seen


class NoWay(NamedTuple):
    """To a repository on this machine."""

    options: tuple[str, ...] = ()
    env: dict[str, str] = {}
    descriptors: tuple[int, ...] = ()


@contextlib.contextmanager
def open_way() -> Iterator[NoWay]:
    yield NoWay()


def test_a_lease_holds_whatever_came_between(tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir()
    work = Work(tmp_path / "run", tmp_path / "volume")
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "-q", "--bare", str(work.folder), str(bare))
    remote = Remote(str(bare), open_way, ("file",), 300)
    first = work.commit({"a": "1"})
    assert remote.look("agents/x") == Seen("", "main")
    remote.push(work.folder / ".git", first, "agents/x", "")
    git(work.folder, "reset", "-q", "--hard", work.base)
    second = work.commit({"b": "1"})
    for stale in ("", work.base):
        with pytest.raises(Moved):
            remote.push(work.folder / ".git", second, "agents/x", stale)
        assert remote.look("agents/x").tip == first
    remote.push(work.folder / ".git", second, "agents/x", first)
    assert remote.look("agents/x").tip == second
