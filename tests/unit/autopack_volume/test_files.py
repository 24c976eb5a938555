"""Pins, folders and the trash, on real folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autopack.errors import AutopackError
from autopack.file_layout import AttemptPaths
from autopack_volume.service.answers import Answer
from autopack_volume.service.attempts import folders, pins
from autopack_volume.service.attempts.trash import Trash

PIN = pins.prepared_pin(AttemptPaths("fix-it", "0f8fad5b-d9cb", 1))


def test_the_first_answer_is_the_one_that_stays(tmp_path: Path) -> None:
    first = pins.write(tmp_path, PIN, {"a": 1}, Answer(200, {"b": 1}))
    second = pins.write(tmp_path, PIN, {"a": 2}, Answer(422, {"b": 2}))
    assert first == second == pins.read(tmp_path, PIN) == ({"a": 1}, Answer(200, {"b": 1}))


def test_pinning_leaves_nothing_else(tmp_path: Path) -> None:
    pins.write(tmp_path, PIN, {}, Answer(200, {}))
    assert [path.name for path in (tmp_path / PIN).parent.iterdir()] == ["a1.json"]


def test_an_unreadable_pin_is_said(tmp_path: Path) -> None:
    (tmp_path / PIN).parent.mkdir(parents=True)
    (tmp_path / PIN).write_text("{")
    with pytest.raises(AutopackError) as raised:
        pins.read(tmp_path, PIN)
    assert raised.value.reason == "PinCorrupt"


def test_the_two_pins_of_an_attempt_are_two_files() -> None:
    paths = AttemptPaths("fix-it", "0f8fad5b-d9cb", 1)
    assert pins.committed_pin(paths) == ".attempts/0f8fad5b-d9cb/a1.commit.json"


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
