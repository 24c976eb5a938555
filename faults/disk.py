"""The volume of a lane of real pods: a small file system of its own, in memory, so that it can be filled.

The machine's own disk is never filled: nothing is written unless that file system is mounted.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from scripts import deploy

DISKS = deploy.ROOT / ".faults" / "disks"
SIZE = "64m"
ROOM_FOR_ALL = 0o777
"""As the development cluster's own volumes: whoever runs in the pods owns what they make."""

_LARGEST, _SMALLEST = 1 << 20, 1 << 12


class DiskError(Exception):
    """There is no such file system."""


class SmallDisk:
    """Of one namespace."""

    def __init__(self, namespace: str, disks: Path = DISKS) -> None:
        self.folder = disks / namespace
        self._ballast = self.folder / ".ballast"

    def mount(self) -> None:
        """Make it. Raises CommandError where this process may not mount."""
        self.folder.mkdir(parents=True, exist_ok=True)
        deploy.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", self.folder])
        self.folder.chmod(ROOM_FOR_ALL)

    def unmount(self) -> None:
        """Take it away with all that is on it; fine when it is gone already. Pods that still end do not hold it."""
        if self._mounted():
            deploy.run(["umount", "--lazy", self.folder])
        shutil.rmtree(self.folder, ignore_errors=True)

    def fill(self) -> None:
        """Leave no room. Raises DiskError unless it is mounted."""
        if not self._mounted():
            raise DiskError(f"{self.folder} is no file system of its own, and is not filled")
        with self._ballast.open("ab", buffering=0) as file:
            write_until_full(file.write)

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)

    def _mounted(self) -> bool:
        return os.path.ismount(self.folder)


def write_until_full(write: Callable[[bytes], object]) -> None:
    """Write zeros until there is no room for a block. Raises OSError when that fails for another reason."""
    size = _LARGEST
    while size >= _SMALLEST:
        try:
            write(bytes(size))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            size //= 2


def unmount_all(prefix: str, disks: Path = DISKS) -> None:
    """Take away the disks of all namespaces that begin so."""
    with suppress(FileNotFoundError):
        for folder in disks.iterdir():
            if folder.name.startswith(prefix):
                SmallDisk(folder.name, disks).unmount()
