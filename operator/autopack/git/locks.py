"""Locks between processes of one machine: flock on a file that is never unlinked, with a bounded wait."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

from autopack.errors import AutopackError

_LONGEST_PAUSE = 0.02


@contextlib.contextmanager
def file_lock(path: Path, timeout: float, what: str) -> Iterator[int]:
    """Hold an exclusive lock on `path`, made if need be, and yield its descriptor.

    Hand the descriptor to a child (`pass_fds`) and the lock outlives our own death until the child has ended.
    Raises AutopackError LockTimeout, naming `what`, after `timeout` seconds.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        deadline = time.monotonic() + timeout
        while not _try_lock(descriptor):
            if time.monotonic() >= deadline:
                fix = "Wait for the process that works there, or end it"
                raise AutopackError("LockTimeout", f"{what} has been busy for {timeout:g} s", fix)
            time.sleep(random.uniform(0.002, _LONGEST_PAUSE))  # noqa: S311 - spreads the waiters, no secret
        yield descriptor
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
