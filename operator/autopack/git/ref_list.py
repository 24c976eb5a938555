"""All refs of a repository, asked for once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from .runner import run_git

_HEADS = "refs/heads/"


class Ref(NamedTuple):
    """A ref by its full name, the object it leads to, and the ref that it stands for ("": none)."""

    name: str
    sha: str
    target: str = ""


def list_refs(git_dir: Path, *below: str) -> list[Ref]:
    """Return the refs (with `below`: those that begin so), sorted by name; nothing is fetched for it."""
    command = ["for-each-ref", "--format=%(objectname) %(refname) %(symref)", *below]
    rows = run_git(command, git_dir=git_dir, protocols=()).text.splitlines()
    return [Ref(name, sha, target) for sha, name, target in (row.split(" ", 2) for row in rows)]


def branches_among(refs: Iterable[Ref]) -> dict[str, str]:
    """Return the local branches, by their short names, with their commits."""
    return {ref.name.removeprefix(_HEADS): ref.sha for ref in refs if ref.name.startswith(_HEADS)}
