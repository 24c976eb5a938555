"""Pins, folders and the trash, on real folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autopack.errors import AutopackError
from autopack.file_layout import AttemptPaths
from autopack_volume.contract.messages import Failure, PrepareRequest, Ready
from autopack_volume.service.attempts import folders, pins, records
from autopack_volume.service.attempts.trash import Trash

PATHS = AttemptPaths("fix-it", "0f8fad5b-d9cb", 1)
REQUEST: PrepareRequest = {"runId": "fix-it", "source": {"repository": "demo"}, "ref": "main", "branch": "fix"}
READY: Ready = {"state": "ready", "repoKey": "n-demo", "sha": "a" * 40, "workspace": "w", "artifacts": "a"}
REFUSED: Failure = {"state": "failed", "reason": "RefNotFound", "message": "no such ref"}


def test_the_first_answer_is_the_one_that_stays(tmp_path: Path) -> None:
    first = pins.pin_prepared(tmp_path, PATHS, REQUEST, READY)
    second = pins.pin_prepared(tmp_path, PATHS, {**REQUEST, "ref": "other"}, REFUSED)
    assert first == second == pins.prepared(tmp_path, PATHS) == (REQUEST, READY)


def test_pinning_leaves_nothing_else(tmp_path: Path) -> None:
    pins.pin_prepared(tmp_path, PATHS, REQUEST, READY)
    assert [path.name for path in (tmp_path / ".attempts/0f8fad5b-d9cb").iterdir()] == ["a1.json"]


def test_an_unreadable_pin_is_said(tmp_path: Path) -> None:
    pin = tmp_path / PATHS.pinned_answer
    pin.parent.mkdir(parents=True)
    pin.write_text("{")
    with pytest.raises(AutopackError) as raised:
        pins.prepared(tmp_path, PATHS)
    assert raised.value.reason == "PinCorrupt"


def test_the_two_pins_of_an_attempt_are_two_files(tmp_path: Path) -> None:
    assert pins.pin_committed(tmp_path, PATHS, REFUSED) == pins.committed(tmp_path, PATHS) == REFUSED
    assert pins.prepared(tmp_path, PATHS) is None
    assert PATHS.pinned_commit == ".attempts/0f8fad5b-d9cb/a1.commit.json"


def test_what_was_refused_has_nothing_to_work_on(tmp_path: Path) -> None:
    pins.pin_prepared(tmp_path, PATHS, REQUEST, REFUSED)
    record = records.find(tmp_path, PATHS.uid, 1)
    assert record.document() == {
        "uid": PATHS.uid,
        "attempt": 1,
        "runId": "fix-it",
        "state": "refused",
        "reason": "RefNotFound",
        "message": "no such ref",
    }
    with pytest.raises(AutopackError) as raised:
        record.ready  # noqa: B018 - it raises
    assert raised.value.reason == "AttemptUnknown"


def test_folders_have_the_mode_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        made = folders.make(tmp_path, "a/b")
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o7777 for path in (made, made.parent)] == [0o2775, 0o2775]


def test_a_folder_may_be_there_if_it_is_empty(tmp_path: Path) -> None:
    folders.make(tmp_path, "a")
    assert folders.make_empty(tmp_path, "a") == tmp_path / "a"


def test_discarding_what_is_not_there_is_fine(tmp_path: Path) -> None:
    assert Trash(tmp_path).discard("a/b") is False


def test_the_trash_is_emptied(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "f").write_text("")
    (tmp_path / "a" / "l").symlink_to("/")
    trash = Trash(tmp_path)
    assert trash.discard("a") is True
    trash.empty()
    assert list((tmp_path / ".trash").iterdir()) == []


def test_without_trash_there_is_nothing_to_empty(tmp_path: Path) -> None:
    Trash(tmp_path).empty()
    assert list(tmp_path.iterdir()) == []


def test_what_a_dead_service_was_building_is_collected(tmp_path: Path) -> None:
    (tmp_path / ".repos/n-demo/.tmp-x.git").mkdir(parents=True)
    (tmp_path / ".repos/n-demo/mirror.git").mkdir()
    Trash(tmp_path).collect()
    assert [path.name for path in (tmp_path / ".repos/n-demo").iterdir()] == ["mirror.git"]
