"""What is measured follows from the settings and the command line."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bench.__main__ import refuse_impossible
from bench.settings import CLUSTER_QPS, FULL, QUICK, Settings


def test_large_sizes_have_one_repeat_and_the_text_says_so() -> None:
    assert [FULL.repeats_of(size) for size in (100, 999, 1000, 5000)] == [5, 5, 1, 1]
    assert "N=1000 (1 repeats)" in str(FULL)


def test_the_text_says_which_bound_is_whose() -> None:
    assert "kwok, 50 requests/s for each controller: N=100 (5 repeats);" in str(FULL)
    assert "kwok, 100 requests/s for each controller: N=1000 (1 repeats), N=5000 (1 repeats)" in str(FULL)
    assert f"N=30 real pods (2 repeats, {CLUSTER_QPS} requests/s for each controller)" in str(FULL)


@pytest.mark.parametrize("settings", [FULL, QUICK], ids=["full", "quick"])
def test_no_arms_are_cut_that_are_long_by_design(settings: Settings) -> None:
    for qps, size in ((qps, size) for qps, sizes in settings.by_bound().items() for size in sizes):
        repeats = settings.repeats_of(size)
        # As seen: 325 s for the three arms at N=1,000 and 50 requests a second.
        assert settings.longest_of(size, repeats, qps) > 1.5 * repeats * size * 0.325 * 50 / qps
        assert settings.longest_of(size, repeats, qps) >= settings.longest_part


def test_a_high_bound_or_none_does_not_shorten_what_the_machine_makes_long() -> None:
    # N=5,000 takes more than 20 minutes on two cores.
    assert FULL.longest_of(5000, 1, 200) == FULL.longest_of(5000, 1, 0) > 2 * 1200
    assert FULL.longest_of(5000, 1, 50) > FULL.longest_of(5000, 1, 100)


def test_the_bound_can_be_given() -> None:
    assert FULL.changed({}, None, 200).qps == 200
    assert FULL.changed({}, None).qps == FULL.qps == QUICK.qps == 50
    assert FULL.by_bound() == {50: (100,), 100: (1000, 5000)}
    assert FULL.changed({}, None, 200).by_bound() == {200: FULL.sizes}
    assert FULL.changed({"sizes": ""}, None).by_bound() == {}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (replace(FULL, sizes=(100, 257)), "257"),
        (replace(FULL, unbounded=(6000,)), "6000"),
        (replace(FULL, real_pods=263), "263"),
        (replace(FULL, qps=0), "--qps"),
        (replace(FULL, qps=10_001), "--qps"),
    ],
    ids=["size", "unbounded", "real pods", "no bound", "more than the operator takes"],
)
def test_what_cannot_be_measured_is_refused_before_anything_is(changed: Settings, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        refuse_impossible(changed)


@pytest.mark.parametrize("settings", [FULL, QUICK, replace(FULL, sizes=(300, 500, 5000), unbounded=(), real_pods=0)])
def test_the_usual_sizes_can_be_measured(settings: Settings) -> None:
    refuse_impossible(settings)


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


def test_repeats_hold_for_real_pods_and_worktrees_too() -> None:
    assert FULL.changed({}, 3).real_repeats == 3
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
    assert min(often for _, _, often in (*QUICK.trees.cases, *QUICK.trees.on_disk)) >= 3
    assert replace(QUICK.trees, cases=()).repeats == 1
