"""Folders on the volume, made so that no symlink is ever followed."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from autopack.errors import AutopackError

_MODE = 0o2775


def make(root: Path, relative: str) -> Path:
    """Make a folder and those above it, each mode 2775; AutopackError VolumeUnsafe when something else is there."""
    path = root
    for part in relative.split("/"):
        path /= part
        try:
            path.mkdir()
            path.chmod(_MODE)
        except FileExistsError:
            if not stat.S_ISDIR(path.lstat().st_mode):
                message = f"{path.relative_to(root)} on the volume is not a folder"
                raise AutopackError("VolumeUnsafe", message, "Find out who put it there") from None
    return path


def make_empty(root: Path, relative: str) -> Path:
    """Make a folder for one attempt; AutopackError AttemptConflict when another has used it."""
    path = make(root, relative)
    with contextlib.closing(os.scandir(path)) as entries:
        if next(entries, None) is not None:
            message = f"{relative} on the volume holds another attempt's files"
            raise AutopackError("AttemptConflict", message, "Start another attempt")
    return path
