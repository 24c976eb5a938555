"""Refs read from and written to the files that git keeps them in (gitrepository-layout(5)), without a process for it.

For repositories of ours, whose refs are in files. What is read may have been written by anybody.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path

from autopack.errors import AutopackError
from autopack.scan import read_small

_LOOSE = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64})\n?")
_PACKED = re.compile(rb"^([0-9a-f]{40}|[0-9a-f]{64}) (refs/\S+)$", re.MULTILINE)
_LARGEST_LOOSE = 1 << 12
_LARGEST_PACKED = 1 << 28


def read_ref_files(git_dir: Path, *below: str) -> dict[str, str]:
    """Return the refs below the folders `below` ("refs/tags/"), by their full names; symbolic ones are left out.

    Others may write meanwhile: each ref is then as it was at some moment. Raises AutopackError TooLarge or NotAFile
    where the packed refs cannot be read.
    """
    loose = {name: sha for folder in below for name, sha in _loose(git_dir, folder).items()}
    # In this order: git puts a ref into the packed ones before it takes its own file away.
    packed = read_packed_refs(git_dir / "packed-refs")
    return {name: sha for name, sha in packed.items() if name.startswith(below)} | loose


def read_packed_refs(path: Path) -> dict[str, str]:
    """Return the refs in one file as git packs them; none if there is no file. Raises as `read_ref_files`."""
    data = read_small(path, _LARGEST_PACKED) or b""
    return {os.fsdecode(name): sha.decode() for sha, name in _PACKED.findall(data)}


def packed_refs(refs: Mapping[str, str]) -> bytes:
    """Return the content of a file with these refs as git packs them."""
    names = sorted((os.fsencode(name), sha.encode()) for name, sha in refs.items())
    return b"# pack-refs with: sorted \n" + b"".join(b"%s %s\n" % (sha, name) for name, sha in names)


def beside(refs: Mapping[str, str], own: Collection[str]) -> dict[str, str]:
    """Return those of `refs` that git can keep beside refs called `own`: neither the same name, nor `a` and `a/b`."""
    # Folders that the files of `own` lie in, and those that they would have to be.
    above = {name[:at] for name in own for at, character in enumerate(name) if character == "/"}
    below = tuple(f"{name}/" for name in own)
    taken = above.union(own)
    return {name: sha for name, sha in refs.items() if name not in taken and not name.startswith(below)}


def _loose(git_dir: Path, below: str) -> dict[str, str]:
    found = {}
    for folder, _, names in os.walk(git_dir / below):
        for name in names:
            path = Path(folder, name)
            sha = _loose_id(path)
            if sha is not None:
                found[path.relative_to(git_dir).as_posix()] = sha
    return found


def _loose_id(path: Path) -> str | None:
    try:
        match = _LOOSE.fullmatch(read_small(path, _LARGEST_LOOSE) or b"")
    except AutopackError:
        return None
    return None if match is None or path.name.endswith(".lock") else match[1].decode()
