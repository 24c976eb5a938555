"""Only a file system of a lane's own is ever filled."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from faults.disk import DiskError, SmallDisk, unmount_all, write_until_full

BLOCK = 4096


def test_a_folder_that_is_not_mounted_is_not_filled(tmp_path: Path) -> None:
    disk = SmallDisk("lab", tmp_path)
    disk.folder.mkdir()
    with pytest.raises(DiskError, match="is not filled"):
        disk.fill()
    assert list(disk.folder.iterdir()) == []


def test_it_is_filled_up_to_the_last_block() -> None:
    room, written = 3 * BLOCK + (1 << 20), 0

    def write(data: bytes) -> None:
        nonlocal written
        if written + len(data) > room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written += len(data)

    write_until_full(write)
    assert room - written < BLOCK


def test_another_failure_than_a_full_disk_is_told() -> None:
    def write(_: bytes) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        write_until_full(write)


def test_only_disks_of_that_campaign_are_taken_away(tmp_path: Path) -> None:
    for name in ("faults-1-real-1", "faults-12-real-1"):
        (tmp_path / name).mkdir()
    unmount_all("faults-1-", tmp_path)
    assert [folder.name for folder in tmp_path.iterdir()] == ["faults-12-real-1"]


def test_where_no_disk_was_ever_made_there_is_none_to_take_away(tmp_path: Path) -> None:
    unmount_all("faults-1-", tmp_path / "absent")
