"""Folders that anybody may have filled: any depth, any permissions, and symlinks that are never followed."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from .files import random_hex

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def open_anyway(name: str, folder: int, flags: int) -> int:
    """Open an entry of an open folder; one that is ours but forbids reading is given that right first."""
    try:
        return os.open(name, flags, dir_fd=folder)
    except PermissionError:
        change_mode(name, folder, add=stat.S_IRUSR | (stat.S_IXUSR if flags & os.O_DIRECTORY else 0))
        return os.open(name, flags, dir_fd=folder)


def change_mode(name: str, folder: int, *, add: int = 0, remove: int = 0) -> None:
    """Change the permissions of an entry of an open folder, never those of what a symlink points to."""
    # O_PATH names the entry itself whatever its mode; /proc leads chmod to that very entry.
    handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        mode = os.fstat(handle).st_mode
        wanted = (stat.S_IMODE(mode) | add) & ~remove
        if not stat.S_ISLNK(mode) and wanted != stat.S_IMODE(mode):
            os.chmod(f"/proc/self/fd/{handle}", wanted)  # noqa: PTH101 - see above
    finally:
        os.close(handle)


def remove_tree(path: Path) -> None:
    """Delete a file, or a folder with all that is in it; what somebody else deletes meanwhile is fine.

    Raises OSError for what cannot be deleted, after everything else is gone. May be cut off at any point and called
    again.
    """
    with contextlib.suppress(FileNotFoundError):
        parent = os.open(path.parent, _FOLDER)
        try:
            mode = _mode(path.name, parent)
            if not stat.S_ISDIR(mode):
                os.unlink(path.name, dir_fd=parent)
                return
            folder = _open_to_empty(path.name, parent, mode)
            try:
                empty_folder(folder)
            finally:
                os.close(folder)
            os.rmdir(path.name, dir_fd=parent)
        finally:
            os.close(parent)


def empty_folder(folder: int) -> None:
    """Delete everything in an open folder that we may write to, as `remove_tree` does."""
    failed: dict[str, OSError] = {}
    while names := set(os.listdir(folder)) - failed.keys():
        for name in names:
            try:
                _delete(name, folder)
            except FileNotFoundError:
                continue
            except OSError as error:
                failed[name] = error
    if failed:
        raise next(iter(failed.values()))


def _delete(name: str, top: int) -> None:
    """Delete an entry of the open folder `top`. Folders in it move up beside it: no depth is too deep for that."""
    mode = _mode(name, top)
    if not stat.S_ISDIR(mode):
        os.unlink(name, dir_fd=top)
        return
    folder = _open_to_empty(name, top, mode)
    try:
        problem = _clear(folder, top)
    finally:
        os.close(folder)
    if problem is not None:
        raise problem
    os.rmdir(name, dir_fd=top)


def _clear(folder: int, top: int) -> OSError | None:
    """Delete the files in a folder and move its folders to `top`; return why something stays."""
    problem = None
    for inner in os.listdir(folder):
        try:
            mode = _mode(inner, folder)
            if stat.S_ISDIR(mode):
                _allow_all(inner, folder, mode)
                os.rename(inner, random_hex(8), src_dir_fd=folder, dst_dir_fd=top)
            else:
                os.unlink(inner, dir_fd=folder)
        except FileNotFoundError:
            continue
        except OSError as error:
            problem = error
    return problem


def _mode(name: str, folder: int) -> int:
    return os.lstat(name, dir_fd=folder).st_mode


def _open_to_empty(name: str, folder: int, mode: int) -> int:
    _allow_all(name, folder, mode)
    return os.open(name, _FOLDER, dir_fd=folder)


def _allow_all(name: str, folder: int, mode: int) -> None:
    """Give ourselves every right to a folder; without that to write it cannot even be moved, for its `..` changes."""
    if mode & stat.S_IRWXU == stat.S_IRWXU:
        return
    # Of somebody else's folder it may be possible without.
    with contextlib.suppress(PermissionError):
        change_mode(name, folder, add=stat.S_IRWXU)
