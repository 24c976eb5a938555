"""What is measured follows from the settings and the command line."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bench.settings import FULL, QUICK


def test_large_sizes_have_fewer_repeats_and_the_text_says_so() -> None:
    assert [FULL.repeats_of(size) for size in (100, 1000, 5000)] == [5, 2, 1]
    assert "N=5000 (1 repeats)" in str(FULL)


def test_what_the_command_line_does_not_name_stays() -> None:
    assert FULL.changed({"sizes": None, "stored": None}, None) == FULL


@pytest.mark.parametrize(
    ("text", "sizes"), [("30,100", (30, 100)), ("100", (100,)), ("", ())], ids=["two", "one", "none"]
)
def test_sizes_are_numbers_with_commas_between(text: str, sizes: tuple[int, ...]) -> None:
    found = FULL.changed({"sizes": text, "stored": text}, None)
    assert (found.sizes, found.stored, found.unbounded) == (sizes, sizes, FULL.unbounded)


def test_no_real_pods_leaves_them_out() -> None:
    assert FULL.changed({"real_pods": "0"}, None).real_pods == 0
    assert "real pods" not in str(FULL.changed({"real_pods": "0"}, None))


def test_repeats_hold_for_worktrees_too() -> None:
    assert {often for _, _, often in FULL.changed({}, 2).trees.cases} == {2}


def test_only_some_cases_of_worktrees() -> None:
    found = FULL.trees.only("8000", "1,32", None)
    assert [case[:2] for case in found.cases] == [(8000, 1), (8000, 32)]
    assert [case[:2] for case in found.on_disk] == [(8000, 1)]


def test_no_tree_is_larger_than_a_hundred_megabytes() -> None:
    assert [FULL.trees.bytes_a_file(files) for files in (1000, 50_000)] == [11_000, 2000]


def test_the_quick_cases_include_what_the_bars_are_about() -> None:
    sizes = {count for _, count, _ in QUICK.trees.cases}
    assert {1, 32} <= sizes
    assert replace(QUICK.trees, cases=()).repeats == 1
