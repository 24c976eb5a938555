"""Atomic files: whole or not there."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from autopack.files import move_into_folder, names_in, write_atomic, write_json_atomic


def test_write_atomic_replaces_and_leaves_nothing_beside(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    write_atomic(target, b"new", 0o640)
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [target]


def test_write_atomic_does_not_follow_a_symlink(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    (tmp_path / "link").symlink_to(victim)
    write_atomic(tmp_path / "link", b"new")
    assert victim.read_bytes() == b"mine"
    assert not (tmp_path / "link").is_symlink()


def test_a_failed_write_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")

    def no_space(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        write_atomic(target, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_json_is_sorted_and_ends_with_a_newline(tmp_path: Path) -> None:
    write_json_atomic(tmp_path / "x.json", {"b": 1, "a": "é"})
    text = (tmp_path / "x.json").read_text("utf-8")
    assert text.endswith("}\n")
    assert list(json.loads(text)) == ["a", "b"]


def test_json_refuses_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json_atomic(tmp_path / "x.json", float("nan"))
    assert not list(tmp_path.iterdir())


def test_the_names_in_a_folder_that_is_not_there_or_is_a_file_are_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert names_in(tmp_path / "gone") == []
    assert names_in(tmp_path / "file") == []
    (tmp_path / "another").mkdir()
    assert names_in(tmp_path) == ["another", "file"]


@pytest.mark.parametrize("call", ["scandir", "listdir"])
def test_a_folder_that_goes_while_it_is_looked_at_has_no_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    before(monkeypatch, call, folder.rmdir)
    assert names_in(folder) == []


def test_a_move_makes_the_folder_again_that_another_process_removes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "work").write_text("mine", "utf-8")
    before(monkeypatch, "rename", folder.rmdir)
    move_into_folder(tmp_path / "work", folder / "work")
    assert (folder / "work").read_text("utf-8") == "mine"


def test_a_move_copes_with_a_folder_that_another_process_makes_and_removes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    (tmp_path / "work").write_text("mine", "utf-8")

    def there_and_gone() -> None:
        raise FileExistsError(17, "File exists", str(folder))

    before(monkeypatch, "mkdir", there_and_gone)
    move_into_folder(tmp_path / "work", folder / "work")
    assert (folder / "work").read_text("utf-8") == "mine"


def test_a_move_of_what_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="work"):
        move_into_folder(tmp_path / "work", tmp_path / "folder/work")
    assert not (tmp_path / "folder").exists()


def test_a_move_that_would_need_more_than_one_folder_says_so_and_moves_nothing(tmp_path: Path) -> None:
    (tmp_path / "work").touch()
    with pytest.raises(FileNotFoundError):
        move_into_folder(tmp_path / "work", tmp_path / "no/such/folder")
    assert (tmp_path / "work").exists()


def before(monkeypatch: pytest.MonkeyPatch, call: str, act: Callable[[], None]) -> None:
    """Have another process act right before the first system call of that name."""
    real = getattr(os, call)

    def called(*args: object, **kwargs: object) -> object:
        monkeypatch.setattr(os, call, real)
        act()
        return real(*args, **kwargs)

    monkeypatch.setattr(os, call, called)
