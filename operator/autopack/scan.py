"""Walks a folder that anybody may have written: no symlink is followed, nothing but regular files is opened."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from autopack.errors import AutopackError
from autopack.manifest import Entry, FileEntry, LinkEntry
from autopack.trees import open_anyway

MAX_DEPTH = 64
MAX_ENTRIES = 100_000
_CHUNK = 1 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_FIX = "Write fewer artifacts, or pack them into an archive"


class Found(NamedTuple):
    """A directory entry, with the open folder it lies in; `path` is relative to the folder that is walked."""

    path: str
    folder: int
    name: str
    stat: os.stat_result


def walk(root: Path, skip: Collection[str] = ()) -> Iterator[Found]:
    """Yield everything below `root`, a folder after what is in it; names in `skip` are left out at the top.

    The descriptor in what is yielded is closed when the walk goes on. Raises AutopackError ArtifactsTooDeep or
    ArtifactsTooMany, OSError when `root` is no folder.
    """
    descriptor = os.open(root, _FOLDER)
    left = [MAX_ENTRIES]
    yield from _walk(descriptor, "", skip, MAX_DEPTH, left)


def _names(folder: int, skip: Collection[str], left: list[int]) -> list[str]:
    """List a folder in order, and count it off `left`: a folder of millions is refused before it fills the memory."""
    names: list[str] = []
    with os.scandir(folder) as entries:  # of a descriptor: a path could be swapped for a link
        for entry in entries:
            if entry.name in skip:
                continue
            left[0] -= 1
            if left[0] < 0:
                raise AutopackError("ArtifactsTooMany", f"more than {MAX_ENTRIES} artifacts", _FIX)
            names.append(entry.name)
    return sorted(names)


def _walk(folder: int, prefix: str, skip: Collection[str], depth: int, left: list[int]) -> Iterator[Found]:
    try:
        for name in _names(folder, skip, left):
            try:
                status = os.lstat(name, dir_fd=folder)
            except FileNotFoundError:
                continue
            if stat.S_ISDIR(status.st_mode):
                if depth == 0:
                    raise AutopackError("ArtifactsTooDeep", f"artifacts nest more than {MAX_DEPTH} folders deep", _FIX)
                inner = open_anyway(name, folder, _FOLDER)
                yield from _walk(inner, f"{prefix}{name}/", (), depth - 1, left)
            yield Found(prefix + name, folder, name, status)
    finally:
        os.close(folder)


def artifacts(root: Path, skip: Collection[str]) -> list[Entry]:
    """List the regular files below `root` with their digests, and the symlinks with their targets."""
    entries: list[Entry] = []
    for found in walk(root, skip):
        if stat.S_ISREG(found.stat.st_mode):
            with contextlib.suppress(FileNotFoundError):
                entries.append(_digest(found))
        elif stat.S_ISLNK(found.stat.st_mode):
            entries.append(LinkEntry(found.path, os.readlink(found.name, dir_fd=found.folder)))
    return entries


def _digest(found: Found) -> FileEntry:
    # O_NONBLOCK: what was a regular file a moment ago could be a pipe by now, and opening that would never end.
    descriptor = open_anyway(found.name, found.folder, _FILE)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise AutopackError("ArtifactsChanging", "an artifact was replaced while it was read", "Try again")
        digest, size = hashlib.sha256(), 0
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return FileEntry(found.path, size, digest.hexdigest())


def open_below(root: Path, parts: Sequence[str]) -> int:
    """Open a regular file below `root` for reading, part by part: no symlink is followed on the way.

    Raises OSError, FileNotFoundError for what is no regular file as well; the caller closes the descriptor.
    """
    folder = os.open(root, _FOLDER)
    try:
        for part in parts[:-1]:
            inner = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        descriptor = os.open(parts[-1], _FILE, dir_fd=folder)
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileNotFoundError(errno.ENOENT, "not a regular file", parts[-1])
    return descriptor


def open_regular(path: Path) -> int:
    """Open a regular file for reading; AutopackError NotAFile for a symlink or anything else, FileNotFoundError."""
    try:
        descriptor = os.open(path, _FILE)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise AutopackError("NotAFile", f"{path.name} is not a readable regular file") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise AutopackError("NotAFile", f"{path.name} is not a regular file")
    return descriptor


def read_small(path: Path, limit: int) -> bytes | None:
    """Read a regular file of at most `limit` bytes; None when it is not there, AutopackError TooLarge or NotAFile."""
    try:
        descriptor = open_regular(path)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise AutopackError("TooLarge", f"{path.name} has more than {limit} bytes")
    return data
