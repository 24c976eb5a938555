"""Removal in two steps: a rename, which takes no time, and deletion at leisure."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from autopack.files import TEMPORARY_PREFIX
from autopack_runtime.scan import change_mode, open_anyway

_NAME = ".trash"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Trash:
    """The folder `.trash` of a volume. No symlink is followed; any depth and any permissions are coped with."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def discard(self, relative: str) -> bool:
        """Rename a file or folder into the trash; return whether it was there."""
        path = self._root / relative
        (self._root / _NAME).mkdir(exist_ok=True)
        try:
            parent = os.open(path.parent, _FOLDER)
        except FileNotFoundError:
            return False
        try:
            # A folder that forbids writing cannot be moved: its `..` would change.
            change_mode(path.name, parent, add=stat.S_IRWXU)
            target = self._root / _NAME / f"{path.name[:128]}-{secrets.token_hex(6)}"
            os.rename(path.name, target, src_dir_fd=parent)
        except FileNotFoundError:
            return False
        finally:
            os.close(parent)
        return True

    def collect(self) -> None:
        """Discard what a service that died was building. Nothing may be under way on the volume."""
        for pattern in (f".repos/*/{TEMPORARY_PREFIX}*", f".attempts/*/{TEMPORARY_PREFIX}*"):
            for left in self._root.glob(pattern):
                self.discard(str(left.relative_to(self._root)))

    def empty(self) -> None:
        """Delete everything in the trash. May be cut off at any point and called again."""
        try:
            trash = os.open(self._root / _NAME, _FOLDER)
        except FileNotFoundError:
            return
        try:
            while names := _names(trash):
                for name in names:
                    _delete(name, trash)
        finally:
            os.close(trash)


def _names(folder: int) -> list[str]:
    return os.listdir(folder)


def _delete(name: str, trash: int) -> None:
    """Delete an entry of the trash. Folders in it move up beside it: no depth is too deep for that."""
    if not stat.S_ISDIR(os.lstat(name, dir_fd=trash).st_mode):
        os.unlink(name, dir_fd=trash)
        return
    change_mode(name, trash, add=stat.S_IRWXU)
    folder = open_anyway(name, trash, _FOLDER)
    try:
        for inner in _names(folder):
            if stat.S_ISDIR(os.lstat(inner, dir_fd=folder).st_mode):
                change_mode(inner, folder, add=stat.S_IRWXU)
                os.rename(inner, secrets.token_hex(8), src_dir_fd=folder, dst_dir_fd=trash)
            else:
                os.unlink(inner, dir_fd=folder)
    finally:
        os.close(folder)
    with contextlib.suppress(FileNotFoundError):
        os.rmdir(name, dir_fd=trash)
