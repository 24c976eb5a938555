"""The objects of one object folder, without those of its alternates."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from autopack.files import names_in, write_atomic
from autopack.git.runner import run_git

_MAGIC = b"\xfftOc\x00\x00\x00\x02"
_FANOUT = 8 + 256 * 4
_HEX = frozenset("0123456789abcdef")


def packed_in(folder: Path, digits: int) -> set[str]:
    """Return the ids (of `digits` hex digits) of the objects that lie in the packs of an object folder.

    Left out are packs that came from a promisor remote: what they hold can be had there again.
    """
    found: set[str] = set()
    packs = folder / "pack"
    for name in names_in(packs):
        if name.endswith(".idx") and not (packs / name).with_suffix(".promisor").exists():
            found.update(_packed(packs / name, digits // 2))
    return found


def loose_in(folder: Path, digits: int) -> Iterator[str]:
    """Yield the ids of the objects that have a file each in an object folder."""
    for start in names_in(folder):
        if len(start) == 2 and _HEX.issuperset(start):
            for rest in names_in(folder / start):
                if len(rest) == digits - 2 and _HEX.issuperset(rest):
                    yield start + rest


def _packed(index: Path, size: int) -> Iterator[str]:
    """Yield the ids in a pack's index (gitformat-pack(5), version 2), each of `size` bytes."""
    data = index.read_bytes()
    if not data.startswith(_MAGIC) or len(data) < _FANOUT:
        return
    count = min(int.from_bytes(data[_FANOUT - 4 : _FANOUT], "big"), (len(data) - _FANOUT) // size)
    for start in range(_FANOUT, _FANOUT + count * size, size):
        yield data[start : start + size].hex()


def missing_in(folder: Path, git_dir: Path, ids: set[str]) -> set[str]:
    """Return those of the ids that an object folder and its alternates do not have; `git_dir` says the format."""
    if not ids:
        return set()
    asked = "".join(f"{sha}\n" for sha in sorted(ids)).encode()
    env = {"GIT_OBJECT_DIRECTORY": str(folder)}
    answers = run_git(["cat-file", "--batch-check=%(objectname)"], git_dir=git_dir, env=env, input=asked).text
    return {line.split(" ", 1)[0] for line in answers.splitlines() if " " in line}


def see(git_dir: Path, folders: list[Path]) -> None:
    """Let a git dir of ours read the objects in further folders."""
    file = git_dir / "objects" / "info" / "alternates"
    before = file.read_bytes().splitlines() if file.exists() else []
    new = [line for line in map(alternate, folders) if line not in before]
    if new:
        write_atomic(file, b"".join(line + b"\n" for line in dict.fromkeys([*before, *new])))


def alternate(folder: Path) -> bytes:
    """Return the line that names an object folder among the alternates (gitrepository-layout(5))."""
    path = os.fsencode(folder)
    if b"\n" not in path:
        return path
    return b'"' + path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'
