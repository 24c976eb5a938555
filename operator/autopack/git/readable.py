"""Files and folders of a run that forbid their owner to read them: readable for as long as they are looked at."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

_FOLDER = stat.S_IRUSR | stat.S_IXUSR
_FILE = stat.S_IRUSR


@contextlib.contextmanager
def made_readable(root: Path) -> Iterator[None]:
    """Give the owner the right to read everything below `root`, and take it away again at the end.

    What belongs to somebody else stays as it is. No symlink is followed.
    """
    changed: list[tuple[bytes, int]] = []
    try:
        _open(os.fsencode(root), changed)
        yield
    finally:
        for path, mode in reversed(changed):
            with contextlib.suppress(OSError):
                os.chmod(path, mode)  # noqa: PTH101 - names need not be text


def _open(folder: bytes, changed: list[tuple[bytes, int]]) -> None:
    left = [folder]
    while left:
        folder = left.pop()
        _allow(folder, _FOLDER, changed)
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    left.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    _allow(entry.path, _FILE, changed)


def _allow(path: bytes, wanted: int, changed: list[tuple[bytes, int]]) -> None:
    with contextlib.suppress(OSError):
        mode = stat.S_IMODE(os.lstat(path).st_mode)
        if mode & wanted != wanted:
            os.chmod(path, mode | wanted)  # noqa: PTH101 - names need not be text
            changed.append((path, mode))
