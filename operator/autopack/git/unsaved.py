"""What could not be saved, said so that a person can find it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from autopack.errors import printable

MAX_REASON = 200


class Unsaved(NamedTuple):
    """A file or folder that is on no ref: its path in the work tree, its size in bytes (None: unknown), and why."""

    path: str
    size: int | None
    reason: str


def unsaved(root: Path, path: bytes, reason: str) -> Unsaved:
    """Describe what lies at `path` below `root`; `reason` may be whatever a program printed."""
    try:
        size = os.lstat(os.path.join(os.fsencode(root), path)).st_size  # noqa: PTH118 - names need not be text
    except OSError:
        size = None
    return Unsaved(printable(os.fsdecode(path), 500), size, printable(" ".join(reason.split()), MAX_REASON))
