"""What refs there are, asked for once, and what a name stands for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from .ref_files import read_refs
from .runner import run_git

_HEADS = "refs/heads/"


class Ref(NamedTuple):
    """A ref by its full name, the object it leads to, and the ref that it stands for ("": none)."""

    name: str
    sha: str
    target: str = ""


def list_refs(git_dir: Path, below: str = "refs/") -> list[Ref]:
    """Return the refs whose names begin with `below` (which ends with a slash), sorted; nothing is fetched for it."""
    found = read_refs(git_dir, below)
    if found is not None:
        return [Ref(name, *found[name]) for name in sorted(found)]
    command = ["for-each-ref", "--format=%(objectname) %(refname) %(symref)", below]
    rows = run_git(command, git_dir=git_dir, protocols=()).text.splitlines()
    return [Ref(name, sha, target) for sha, name, target in (row.split(" ", 2) for row in rows)]


def branches_among(refs: Iterable[Ref]) -> dict[str, str]:
    """Return the local branches, by their short names, with their commits."""
    return {ref.name.removeprefix(_HEADS): ref.sha for ref in refs if ref.name.startswith(_HEADS)}


def resolve(name: str, *, cwd: Path | None = None, git_dir: Path | None = None) -> str | None:
    """Return the full id of the object that a name stands for; None if there is none. Nothing is fetched for it."""
    ask = ["rev-parse", "--quiet", "--verify", name]
    found = run_git(ask, cwd=cwd, git_dir=git_dir, protocols=(), check=False)
    return found.text if found.returncode == 0 else None


def commit_of(name: str, *, cwd: Path | None = None, git_dir: Path | None = None) -> str | None:
    """Return the full id of the commit that a name stands for; None if there is none."""
    return resolve(f"{name}^{{commit}}", cwd=cwd, git_dir=git_dir)
