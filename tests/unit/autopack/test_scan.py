"""Scanning a folder that anybody may have written."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from autopack import scan
from autopack.errors import AutopackError
from autopack.manifest import FileEntry, LinkEntry


def test_files_and_links_are_listed(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").write_text("x")
    (tmp_path / "l").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    found = scan.artifacts(tmp_path, ())
    assert set(found) == {FileEntry("d/f", 1, hashlib.sha256(b"x").hexdigest()), LinkEntry("l", "/etc")}


def test_names_are_left_out_at_the_top_only(tmp_path: Path) -> None:
    for folder in ("repo.git", "d/repo.git"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "f").write_text("")
    assert [entry.path for entry in scan.artifacts(tmp_path, {"repo.git"})] == ["d/repo.git/f"]


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"d{number}").mkdir()
        (tmp_path / f"d{number}" / "f").write_text("")
    before = len(list(Path("/proc/self/fd").iterdir()))
    scan.artifacts(tmp_path, ())
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_link_in_place_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(OSError, match="link"):
        list(scan.walk(tmp_path / "link"))


def test_a_small_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    assert scan.read_small(tmp_path / "f", 1) == b"x"
    assert scan.read_small(tmp_path / "g", 1) is None


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("xx")
    with pytest.raises(AutopackError) as raised:
        scan.read_small(tmp_path / "f", 1)
    assert raised.value.reason == "TooLarge"


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    if kind == "link":
        path.symlink_to("/etc/passwd")
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(AutopackError) as raised:
        scan.read_small(path, 100)
    assert raised.value.reason == "NotAFile"
