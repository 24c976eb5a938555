"""Reads in folders that runs write: never through a symlink, never out of the folder, nothing but regular files."""

from __future__ import annotations

import contextlib
import errno
import heapq
import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from .errors import AutopackError, InvalidInput, printable
from .scan import open_below

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MAX_DEPTH = 64
_NO_WAY = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO, errno.ENAMETOOLONG})


class Found(NamedTuple):
    """A file or symlink: its path below the folder, its size in bytes, and what a link leads to."""

    path: str
    size: int | None
    link: str | None = None


def check_path(path: str) -> list[str]:
    """Return the parts of an artifact's path; InvalidInput for one that is absolute or leads up."""
    parts = path.split("/")
    if "\0" in path or len(parts) > _MAX_DEPTH or any(part in {"", ".", ".."} for part in parts):
        raise InvalidInput("path", f"'{printable(path, 120)}' is not an artifact's path", "Take one from the list")
    return parts


def not_found(path: str) -> AutopackError:
    """Return the error for a path at which there is no file to read."""
    return AutopackError("ArtifactNotFound", f"there is no file '{printable(path, 120)}'", "List the artifacts")


def open_file(root: Path, parts: list[str], shown: str) -> int:
    """Open a regular file below `root` for reading, part by part; the caller closes it.

    Raises AutopackError ArtifactNotFound for whatever is no regular file, ArtifactUnreadable where rights are missing.
    """
    try:
        return open_below(root, parts)
    except PermissionError as error:
        message = f"'{printable(shown, 120)}' may not be read"
        raise AutopackError("ArtifactUnreadable", message, "The run took its own right to read it") from error
    except OSError as error:
        if error.errno in _NO_WAY:
            raise not_found(shown) from error
        raise


def browse(root: Path, most: int, skip: Collection[str] = ()) -> tuple[list[Found], bool]:
    """List what lies below `root` now, sorted, and whether there is more than `most`: a run may be writing there.

    Names in `skip` are left out at the top, and so is what vanishes or may not be read meanwhile.
    """
    found: list[Found] = []
    with contextlib.suppress(FileNotFoundError):
        for entry in _walk(os.open(root, _FOLDER), "", skip, _MAX_DEPTH, most):
            if entry is None or len(found) == most:
                return found, True
            found.append(entry)
    return found, False


def _walk(folder: int, prefix: str, skip: Collection[str], depth: int, most: int) -> Iterator[Found | None]:
    """Yield what is in a folder, sorted; None in the place of what comes after the first `most` names of one folder."""
    try:
        with os.scandir(folder) as entries:  # of a descriptor: a path could be swapped for a link
            names = heapq.nsmallest(most + 1, (entry.name for entry in entries if entry.name not in skip))
        for number, name in enumerate(names):
            if number == most:
                yield None
            with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
                mode = os.lstat(name, dir_fd=folder)
                if stat.S_ISREG(mode.st_mode):
                    yield Found(prefix + name, mode.st_size)
                elif stat.S_ISLNK(mode.st_mode):
                    yield Found(prefix + name, None, os.readlink(name, dir_fd=folder))
                elif stat.S_ISDIR(mode.st_mode) and depth:
                    yield from _walk(os.open(name, _FOLDER, dir_fd=folder), f"{prefix}{name}/", (), depth - 1, most)
    finally:
        os.close(folder)
