"""Choosing runs by --filter and --slice."""

from __future__ import annotations

from pathlib import Path

import pytest

from autopack.errors import InvalidInput
from autopack.supervisor.selection import parse_run_ids, select

RUNS = ["lint-1", "lint-2", "test-1", "test-2", "docs"]


def test_a_list_of_ids_may_have_spaces() -> None:
    assert parse_run_ids("a, b ,c") == ["a", "b", "c"]


def test_ids_can_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "ids").write_text("a\n\n  b\n")
    assert parse_run_ids(f"@{tmp_path}/ids") == ["a", "b"]


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"a\na\n", b"../x\n"])
def test_bad_files_of_ids_are_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "ids").write_bytes(content)
    with pytest.raises(InvalidInput, match=r"run_ids?: "):
        parse_run_ids(f"@{tmp_path}/ids")


@pytest.mark.parametrize("text", ["", "a,,b", "a,b,", "a,a", "a,A", "a b", "../a", "/etc", "a;b", ".git/hooks/x"])
def test_bad_lists_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"run_ids?: "):
        parse_run_ids(text)


@pytest.mark.parametrize(
    ("pattern", "slice_text", "chosen"),
    [
        (None, None, RUNS),
        ("^lint", None, ["lint-1", "lint-2"]),
        ("1", None, ["lint-1", "test-1"]),
        (None, "1:3", ["lint-2", "test-1"]),
        (None, "-2:", ["test-2", "docs"]),
        (None, "::2", ["lint-1", "test-1", "docs"]),
        ("-", "3:", ["test-2"]),
    ],
)
def test_the_filter_comes_before_the_slice(pattern: str | None, slice_text: str | None, chosen: list[str]) -> None:
    assert select(RUNS, pattern, slice_text) == chosen


@pytest.mark.parametrize(
    ("pattern", "slice_text", "field"),
    [
        ("(", None, "filter"),
        ("nothing like it", None, "run_ids"),
        (None, "1", "slice"),
        (None, "a:b", "slice"),
        (None, "::0", "slice"),
        (None, "1:2:3:4", "slice"),
        (None, "9:", "run_ids"),
    ],
)
def test_a_bad_choice_names_its_option(pattern: str | None, slice_text: str | None, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        select(RUNS, pattern, slice_text)
    assert caught.value.field == field
