"""Brings objects from one repository of this machine into another, with proof that none is missing or damaged."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import zlib
from collections.abc import Collection
from pathlib import Path

from autopack.errors import AutopackError
from autopack.files import move_into_folder, random_hex

from .keeping.stores import missing_in
from .layout import layout_of
from .runner import GitError, git_environment, kill_git, run_git, start_git

_LOOSE = 100
"""So many objects are stored one by one, as git does with what it fetches: more become a pack."""
_LARGEST_LOOSE = 1 << 20
_HEADER = re.compile(rb"(?:blob|tree|commit|tag) (\d+)\0")


def bring_over(source: Path, target: Path, ids: Collection[str], further: Path) -> None:
    """Bring the objects `ids` from the git dir `source` to `target`; each id is computed again from what it stands for.

    Whoever listed them has seen that they lead to nothing else that is missing there. A few that lie one by one in
    `source`, which is ours and to be removed, or in the object folder `further`, are moved or copied without git.
    Both are read through `source`, whose alternates name `further` and `target`. Raises GitError, and AutopackError
    ObjectDamaged.
    """
    if not ids or (len(ids) <= _LOOSE and layout_of(target) is not None and _are_there(ids, source, further, target)):
        return
    asked = "".join(f"{sha}\n" for sha in sorted(ids)).encode()
    command = ["pack-objects", "--quiet", "--window=0", "--delta-base-offset", "--non-empty"]
    name = run_git([*command, str(source / "out")], git_dir=source, input=asked).text
    _unpack(source / f"out-{name}.pack", target, len(ids))
    # One whose content is not what its id says has come under another id, and git does not mind.
    if missing := missing_in(target / "objects", target, set(ids)):
        raise AutopackError("ObjectDamaged", f"an object is not what its id says: {min(missing)}", "Run git fsck there")


def _are_there(ids: Collection[str], source: Path, further: Path, target: Path) -> bool:
    """Bring loose objects; False where one is large, damaged or not there, and git is to try all of them."""
    try:
        return all(_is_there(sha, source / "objects", further, target / "objects") for sha in ids)
    except OSError:
        return False


def _is_there(sha: str, source: Path, further: Path, target: Path) -> bool:
    name = Path(sha[:2], sha[2:])
    if (target / name).exists():
        # As git does: what was old and about to be collected is new again.
        os.utime(target / name)
        return True
    if _loose(source / name, sha):
        move_into_folder(source / name, target / name)
        return True
    data = _loose(further / name, sha)
    if data is None:
        return False
    # A name that git takes for a leftover of its own if we are killed.
    temporary = target / f"tmp_obj_{random_hex(6)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        move_into_folder(temporary, target / name)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return True


def _loose(path: Path, sha: str) -> bytes | None:
    """Return the file of an object if that is whole and its content has this id."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_LOOSE + 1)
        stream = zlib.decompressobj()
        said = stream.decompress(data, _LARGEST_LOOSE)
    except (OSError, zlib.error):
        return None
    header = _HEADER.match(said)
    whole = stream.eof and not stream.unused_data and header and len(said) - header.end() == int(header[1])
    # The usual layout has ids of SHA-1 and no other.
    return data if whole and hashlib.sha1(said, usedforsecurity=False).hexdigest() == sha else None


def _unpack(pack: Path, target: Path, count: int) -> None:
    with pack.open("rb") as file:
        args = ["unpack-objects", "-q"] if count <= _LOOSE else ["index-pack", "--stdin"]
        process = start_git(args, file.fileno(), subprocess.PIPE, git_dir=target, env=git_environment(None, ()))
        try:
            _, stderr = process.communicate()
        except BaseException:
            kill_git(process)
            process.communicate()
            raise
    if process.returncode != 0:
        raise GitError(args, process.returncode, stderr)
