"""docs/invariants.md names tests that exist, for each of the ten invariants; so does the table of bad inputs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SECTIONS = re.split(r"^## ", (ROOT / "docs/invariants.md").read_text(), flags=re.MULTILINE)[1:]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_there_are_ten() -> None:
    assert [section.split(".")[0] for section in SECTIONS] == [str(number) for number in range(1, 11)]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.splitlines()[0])
def test_its_tests_exist(section: str) -> None:
    named = NAMED.findall(section)
    assert len(named) == section.count("::"), "a name is not written as `path::test`"
    assert named
    missing = [name for path, name in named if f"def {name}(" not in (ROOT / path).read_text()]
    assert missing == []


def test_the_tests_of_bad_inputs_exist() -> None:
    table = (ROOT / "docs/reliability.md").read_text().partition("## Bad input")[2]
    named = NAMED.findall(table)
    assert len(named) == table.count("::")
    assert [name for path, name in named if f"def {name}(" not in (ROOT / path).read_text()] == []
