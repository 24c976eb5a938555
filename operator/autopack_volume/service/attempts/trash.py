"""Removal in two steps: a rename, which takes no time, and deletion at leisure."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from autopack.files import TEMPORARY_PREFIX
from autopack.trees import change_mode, empty_folder

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
        """Delete everything in the trash. May be cut off at any point and called again.

        Raises OSError at the end for what cannot be deleted.
        """
        try:
            trash = os.open(self._root / _NAME, _FOLDER)
        except FileNotFoundError:
            return
        try:
            empty_folder(trash)
        finally:
            os.close(trash)
