"""The table, the JSON line, and the comparison with the baseline."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from bench import baseline
from bench.figures import Bar, Figure, document, least, most, table, worst
from bench.statistics_of import log_log_slope, percentile, spread

FIGURES = [
    Figure("throughput_vs_jobs", "C/B", [1.2, 0.8, 1.0], least(1.0)),
    Figure("mutating_requests_per_run", "writes a run", [8.5], most(8)),
    Figure("burst_latency_p99", "burst", [1.25]),
]


def test_the_line_has_medians_their_spread_and_what_was_missed() -> None:
    found = json.loads(document(FIGURES, {"worktree_vs_git": None}))
    assert found["throughput_vs_jobs"] == 1.0
    assert found["spread"]["throughput_vs_jobs"] == [0.8, 1.2]
    assert found["missed"] == ["mutating_requests_per_run"]
    assert found["worktree_vs_git"] is None


def test_a_figure_that_could_not_be_measured_misses_its_bar_and_is_null() -> None:
    figure = Figure("idle_latency_p50", "idle", [percentile([], 50)], most(0.1))
    assert figure.missed
    assert json.loads(document([figure], {}))["idle_latency_p50"] is None


def test_the_table_says_what_missed_its_bar() -> None:
    rows = table(FIGURES, {}).splitlines()[2:]
    assert ["MISSED" in row for row in rows] == [False, True, False]


@pytest.mark.parametrize(
    ("found", "regressed"),
    [
        ({"throughput_vs_jobs": 0.81}, False),
        ({"throughput_vs_jobs": 0.79}, True),
        ({"throughput_vs_jobs": 2.0}, False),
        ({"mutating_requests_per_run": 9.5}, False),
        ({"mutating_requests_per_run": 9.7}, True),
        ({"mutating_requests_per_run": 1.0}, False),
    ],
)
def test_a_ratio_that_is_worse_by_a_fifth_is_a_regression(found: dict[str, float], regressed: bool) -> None:
    known = {"throughput_vs_jobs": 1.0, "mutating_requests_per_run": 8.0}
    assert bool(baseline.regressions(found, known)) is regressed


def test_seconds_of_one_machine_are_not_compared() -> None:
    assert baseline.ratios({"burst_latency_p99": 1.0, "throughput_vs_jobs": None, "missed": []}) == {}


def test_a_check_that_compares_nothing_does_not_pass() -> None:
    with pytest.raises(ValueError, match="in common"):
        baseline.regressions({"burst_latency_p99": 1.0}, {"throughput_vs_jobs": 1.0})


def test_a_saved_run_replaces_what_it_measured_and_keeps_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    baseline.save({"throughput_vs_jobs": 1.0, "worktree_vs_git": 0.9}, path)
    baseline.save({"throughput_vs_jobs": 1.5, "burst_latency_p99": 3.0}, path)
    assert baseline.load(path) == {"throughput_vs_jobs": 1.5, "worktree_vs_git": 0.9}


def test_a_baseline_loses_what_is_not_compared_any_more(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(
        json.dumps({"worktree_vs_cp_2000x1": 2.8, "worktree_vs_tar_pod_2000x8": 3.4, "worktree_vs_git": 0.9})
    )
    baseline.save({"worktree_vs_cp_2000x1": 2.9, "worktree_vs_unpacked_pod_2000x1": 0.8}, path)
    assert baseline.load(path) == {"worktree_vs_git": 0.9, "worktree_vs_unpacked_pod_2000x1": 0.8}


def test_a_ratio_to_cp_or_tar_is_no_regression() -> None:
    known = {"worktree_vs_cp_2000x1": 1.0, "worktree_vs_tar_2000x1": 1.0, "worktree_vs_floor": 1.0}
    found = {"worktree_vs_cp_2000x1": 2.0, "worktree_vs_tar_2000x1": 2.0, "worktree_vs_floor": 2.0}
    assert [line.partition(":")[0] for line in baseline.regressions(found, known)] == ["worktree_vs_floor"]


def test_percentiles_are_values_that_occurred() -> None:
    assert [percentile([4.0, 1.0, 3.0, 2.0], percent) for percent in (50, 99, 1)] == [2.0, 4.0, 1.0]


def test_the_slope_of_linear_growth_is_one() -> None:
    assert log_log_slope([(100, 2.0), (1000, 20.0), (5000, 100.0)]) == pytest.approx(1.0)
    assert log_log_slope([(10, 1.0), (100, 100.0)]) == pytest.approx(2.0)


def test_a_slope_needs_two_sizes_and_leaves_out_what_has_no_logarithm() -> None:
    assert math.isnan(log_log_slope([(100, 2.0), (100, 3.0)]))
    assert log_log_slope([(0, 5.0), (100, 0.0), (10, 1.0), (100, 10.0)]) == pytest.approx(1.0)


def test_the_spread_is_the_median_and_not_the_mean() -> None:
    found = spread([1.0, 2.0, 9.0])
    assert (found.median, found.least, found.greatest) == (2.0, 1.0, 9.0)


@pytest.mark.parametrize(("bar", "expected"), [(least(1.0), 0.5), (most(1.0), 2.0), (None, 2.0)])
def test_the_worst_is_on_the_wrong_side_of_the_bar(bar: Bar | None, expected: float) -> None:
    figures = [Figure("ratio_100", "a", [0.5]), Figure("ratio_1000", "b", [2.0]), Figure("ratio_10_other", "c", [9.0])]
    found = worst(figures, r"ratio_\d+", "ratio", "worst", bar)
    assert found is not None
    assert (found.key, found.median) == ("ratio", expected)


def test_there_is_no_worst_of_what_was_not_measured() -> None:
    assert worst([], "ratio", "ratio", "worst", None) is None


@pytest.mark.parametrize(("now", "regressed"), [(0.79, True), (0.81, False), (1.5, False)])
def test_a_share_of_the_ideal_may_rise(now: float, regressed: bool) -> None:
    known = {"worktree_of_ideal_8000x32": 1.0}
    assert bool(baseline.regressions({"worktree_of_ideal_8000x32": now}, known)) is regressed
