"""CONTRIBUTING.md sends nobody to a folder that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text()
CELL = re.compile(r"`([\w/.-]+)`")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    section = GUIDE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


ROOMS = rows("Where things are")
BEGINNINGS = rows("Where a change begins")


def test_both_tables_are_found() -> None:
    assert len(ROOMS) > 10
    assert {"add a field to the run", "add a git host", "add a metric", "add a CLI verb", "change what is saved"} <= {
        change for change, *_ in BEGINNINGS
    }


@pytest.mark.parametrize("room", [name for room, _ in ROOMS for name in CELL.findall(room) if "/" in name])
def test_a_room_exists(room: str) -> None:
    assert (ROOT / room).is_dir()


@pytest.mark.parametrize(("change", "folder"), [(change, folder) for change, folder, _ in BEGINNINGS])
def test_a_change_begins_in_one_folder_that_exists(change: str, folder: str) -> None:
    [name] = CELL.findall(folder)
    assert (ROOT / name).is_dir()
    assert any((ROOT / name).glob("*.py"))


def test_every_package_of_ours_has_a_room() -> None:
    packages = {path.parent.name for path in (ROOT / "operator").glob("*/__init__.py")}
    named = {name.split("/")[1] for room, _ in ROOMS for name in CELL.findall(room) if name.startswith("operator/")}
    assert packages == named


def test_files_that_are_named_exist() -> None:
    named = [name for row in ROOMS + BEGINNINGS for name in CELL.findall(" ".join(row)) if name.endswith(".py")]
    assert named
    starts = [ROOT, ROOT / "operator", ROOT / "operator" / "autopack_operator"]
    assert [name for name in named if not any((start / name).is_file() for start in starts)] == []
