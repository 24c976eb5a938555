"""A folder with too many files is refused before its names fill the memory."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

from autopack import scan
from autopack.errors import AutopackError


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with more entries than a scan takes, twice over."""
    folder = tmp_path_factory.mktemp("crowded")
    descriptor = os.open(folder, os.O_RDONLY)
    for number in range(2 * scan.MAX_ENTRIES):
        os.symlink("nowhere", str(number), dir_fd=descriptor)
    os.close(descriptor)
    return folder


def test_too_many_files_are_refused_in_bounded_memory(crowded: Path) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(AutopackError) as raised:
            scan.artifacts(crowded, ())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert raised.value.reason == "ArtifactsTooMany"
    # A name of up to six digits is 56 bytes, its place in the list 8 to 9.
    assert peak < 70 * scan.MAX_ENTRIES


def test_as_many_as_are_allowed_are_listed(crowded: Path) -> None:
    for number in range(scan.MAX_ENTRIES, 2 * scan.MAX_ENTRIES):
        (crowded / str(number)).unlink()
    assert len(scan.artifacts(crowded, ())) == scan.MAX_ENTRIES
