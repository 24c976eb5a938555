"""Where trees are made for a measurement, and how they go."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - looked at, and used through tempfile
NEEDED_BYTES = 10_000_000_000


@contextlib.contextmanager
def in_memory() -> Iterator[Path]:
    """A folder on tmpfs, where there is room: time is then the processors' alone, as the ideal of the cores is."""
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < NEEDED_BYTES:
        raise RuntimeError(f"{MEMORY} has less than {NEEDED_BYTES / 1e9:.0f} GB free")
    with _temporary(MEMORY) as folder:
        yield folder


@contextlib.contextmanager
def on_disk() -> Iterator[Path]:
    """A folder on the disk of $TMPDIR, with all that a disk's file system costs, fsync among it."""
    with _temporary(None) as folder:
        yield folder


@contextlib.contextmanager
def _temporary(where: Path | None) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="bench-trees-", dir=where))
    try:
        yield folder
    finally:
        # Many times quicker than shutil.rmtree with this many files.
        subprocess.run(["rm", "-rf", folder], check=True)
