"""A mirror's HEAD: on the branch that the other side's HEAD is on, as in a clone. Pods see it as `origin/HEAD`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autopack.files import write_atomic
from autopack.git.packed_refs import read_ref_files
from autopack.git.worktree_entries import head_branch

from .lookup import REMOTE_HEAD

_HEADS = "refs/heads/"
_USUAL = ("main", "master")


def point_head(mirror: Path) -> None:
    """Bring a mirror's HEAD up to date after its refs; it stays where it is when the other side has none."""
    refs = read_ref_files(mirror, _HEADS, "refs/remote/")
    heads = {name.removeprefix(_HEADS): sha for name, sha in refs.items() if name.startswith(_HEADS)}
    now = head_branch(mirror)
    branch = choose(heads, refs.get(REMOTE_HEAD), now)
    if branch is not None and branch != now:
        write_atomic(mirror / "HEAD", f"ref: {_HEADS}{branch}\n".encode("utf-8", "surrogateescape"))


def choose(heads: Mapping[str, str], head: str | None, now: str | None) -> str | None:
    """Return the branch that a HEAD at the commit `head` is probably on: git does not tell its name along with it.

    Among several at the same commit the one that it was on before (`now`), then a usual name, then the first.
    """
    there = sorted(name for name, sha in heads.items() if sha == head)
    return next((name for name in (now, *_USUAL, *there) if name in there), None)
