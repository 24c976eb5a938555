"""docs/invariants.md names proofs for each of the ten invariants, where `--proofs` finds them; so do the bad inputs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.named_tests import in_folders, named_in

ROOT = Path(__file__).resolve().parents[3]
SECTIONS = re.split(r"^## ", (ROOT / "docs/invariants.md").read_text(), flags=re.MULTILINE)[1:]
BAD_INPUT = (ROOT / "docs/reliability.md").read_text().partition("## Bad input")[2]
CHECKED = re.findall(r"-m pytest (tests/[^-]+) .*\$\(PROOFS\)", (ROOT / "Makefile").read_text())


def test_there_are_ten() -> None:
    assert [section.split(".")[0] for section in SECTIONS] == [str(number) for number in range(1, 11)]


@pytest.mark.parametrize("text", [*SECTIONS, BAD_INPUT], ids=lambda text: text.splitlines()[0])
def test_names_are_written_so_that_they_are_found(text: str) -> None:
    assert named_in(text)
    assert len(named_in(text)) == len(re.findall(r"\.py::", text)), "a name is not written as `path::test`"


@pytest.mark.parametrize("text", [*SECTIONS, BAD_INPUT], ids=lambda text: text.splitlines()[0])
def test_make_checks_that_each_has_passed(text: str) -> None:
    folders = " ".join(CHECKED).split()
    assert set(named_in(text)) - in_folders(named_in(text), folders) == set()
