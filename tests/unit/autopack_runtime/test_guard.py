"""What has a keeper ask for its command's stop."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from autopack.errors import InvalidInput
from autopack.kept_files import KeptFiles
from autopack.manifest import Identity
from autopack_runtime.guard import Guard, occupied
from autopack_runtime.pod import Pod
from autopack_volume.contract.stop_reasons import DISK_QUOTA_EXCEEDED

KIB = 1024


@pytest.fixture
def pod(tmp_path: Path) -> Pod:
    for name in ("w", "a", "k"):
        (tmp_path / name).mkdir()
    files = KeptFiles(tmp_path / "a", tmp_path / "k")
    return Pod(Identity("fix-it", "uid", 1, "a" * 40, "b"), tmp_path / "w", files, tmp_path / "m")


def guard(pod: Pod, quota: int | None) -> Guard:
    return Guard(pod, pod.workspace.parent / "stop", quota)


def test_a_run_within_its_quota_goes_on(pod: Pod) -> None:
    (pod.workspace / "file").write_bytes(b"x" * 64 * KIB)
    watching = guard(pod, 1024 * KIB)
    watching.look()
    assert watching.reason is None


@pytest.mark.parametrize("place", ["w", "a", "k"])
def test_a_run_over_its_quota_is_stopped(pod: Pod, place: str) -> None:
    folder = pod.workspace.parent / place
    (folder / "deep").mkdir()
    (folder / "deep" / "file").write_bytes(b"x" * 2048 * KIB)
    watching = guard(pod, 1024 * KIB)
    watching.look()
    assert watching.reason == DISK_QUOTA_EXCEEDED


def test_a_keeper_that_was_restarted_knows_why_its_command_was_stopped(pod: Pod) -> None:
    (pod.workspace / "file").write_bytes(b"x" * 64 * KIB)
    guard(pod, 1).look()
    assert guard(pod, None).reason == DISK_QUOTA_EXCEEDED


def test_without_a_quota_nothing_is_measured(pod: Pod) -> None:
    watching = guard(pod, None)
    watching.look()
    assert watching.reason is None


def test_links_are_neither_followed_nor_counted_twice(tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"x" * 4096 * KIB)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "file").write_bytes(b"x" * 256 * KIB)
    before = occupied((inside,))
    (inside / "again").hardlink_to(inside / "file")
    (inside / "link").symlink_to(tmp_path / "outside")
    assert occupied((inside,)) - before < 64 * KIB


def test_a_sparse_file_takes_up_what_is_written_of_it(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 30)
    assert occupied((tmp_path,)) < 1 << 20


@pytest.mark.parametrize("error", [RecursionError(), OSError(24, "Too many open files")])
def test_what_nests_beyond_measure_is_beyond_every_quota(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def too_deep(_: Path) -> None:
        raise error

    monkeypatch.setattr(os, "fwalk", too_deep)
    assert occupied((tmp_path,)) == math.inf


def test_a_quota_that_is_no_number_is_refused(pod: Pod) -> None:
    with pytest.raises(InvalidInput, match="AUTOPACK_DISK_QUOTA_BYTES"):
        Guard.from_environment(pod, {"AUTOPACK_DISK_QUOTA_BYTES": "1Gi"})
