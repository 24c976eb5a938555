"""Has the command stopped when it must not go on: it takes up too much room, or its attempt is over.

The keeper cannot send the command a signal; it leaves a file where the run can only read, and the entrypoint looks.
"""

from __future__ import annotations

import contextlib
import math
import os
import stat
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from autopack.errors import InvalidInput
from autopack.files import write_atomic
from autopack.log import log
from autopack.scan import read_small
from autopack_volume.contract.stop_reasons import DISK_QUOTA_EXCEEDED, FENCED

from .pod import Pod

_STOP_FILE = "/autopack-bin/stop"
_CHANGES = "changed"
"""The file beside it whose time the entrypoint looks at."""
_BLOCK = 512
_SHARE = 20
"""Measuring may take one part in so many of the time."""


class Guard:
    """Looks, and asks for the stop once. What was asked for survives the keeper."""

    def __init__(
        self, pod: Pod, stop_file: Path, quota: int | None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._pod, self._stop_file, self._quota, self._monotonic = pod, stop_file, quota, monotonic
        self._due = float("-inf")

    @classmethod
    def from_environment(cls, pod: Pod, environ: Mapping[str, str]) -> Guard:
        """Read AUTOPACK_STOP_FILE and AUTOPACK_DISK_QUOTA_BYTES (no bound when absent); raise InvalidInput."""
        text = environ.get("AUTOPACK_DISK_QUOTA_BYTES", "")
        if text and not (text.isascii() and text.isdigit()):
            raise InvalidInput("AUTOPACK_DISK_QUOTA_BYTES", "is not a number of bytes", "The operator sets it")
        stop_file = Path(environ.get("AUTOPACK_STOP_FILE", _STOP_FILE))
        return cls(pod, stop_file, int(text) if text else None)

    @property
    def reason(self) -> str | None:
        """Why the stop was asked for, by this keeper or one before it in the same pod."""
        raw = read_small(self._stop_file, 64)
        return None if raw is None else raw.decode(errors="replace")

    def look(self) -> None:
        """Ask for the stop if there is reason to, at most once."""
        if self._stop_file.exists():
            return
        if self._pod.fenced:
            self._ask(FENCED)
        elif self._quota is not None and self._monotonic() >= self._due:
            started = self._monotonic()
            taken = occupied({self._pod.workspace, *self._pod.files})
            self._due = self._monotonic() + max(1.0, _SHARE * (self._monotonic() - started))
            if taken > self._quota:
                log("warning", "the run takes up too much room", bytes=taken, quota=self._quota)
                self._ask(DISK_QUOTA_EXCEEDED)

    def note_change(self) -> None:
        """Tell the entrypoint, which may have a command stopped that does nothing, that files of the run changed."""
        with contextlib.suppress(OSError):
            write_atomic(self._stop_file.with_name(_CHANGES), b"")

    def _ask(self, reason: str) -> None:
        log("warning", "the command is asked to stop", reason=reason)
        try:
            write_atomic(self._stop_file, reason.encode())
        except OSError as error:
            log("error", "the command could not be asked to stop, which will be tried again", error=str(error))


def occupied(folders: Collection[Path]) -> float:
    """Bytes that everything below the folders takes up on disk; a file with several names counts once.

    Infinite where folders nest so deep that they cannot be measured. No symlink is followed.
    """
    seen: set[tuple[int, int]] = set()
    total = 0
    try:
        for folder in folders:
            for _, _, names, descriptor in os.fwalk(folder):
                for name in (".", *names):
                    with contextlib.suppress(FileNotFoundError, PermissionError):
                        status = os.lstat(name, dir_fd=descriptor)
                        several = status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode)
                        if not several or (status.st_dev, status.st_ino) not in seen:
                            total += status.st_blocks * _BLOCK
                        if several:
                            seen.add((status.st_dev, status.st_ino))
    except (RecursionError, OSError) as error:
        log("warning", "what the run takes up cannot be measured", error=type(error).__name__)
        return math.inf
    return total
