"""One command at a time: a lock on a file, with a word about the wait."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devcluster.commands import POLL_SECONDS
from devcluster.progress import Progress


@contextmanager
def exclusive(lock: Path, progress: Progress) -> Iterator[None]:
    """Hold `lock` while the block runs. The kernel lets go of it when the process dies, however it dies."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                progress.heartbeat(lambda: f"waiting for another command to finish ({lock})")
                time.sleep(POLL_SECONDS)
        yield
