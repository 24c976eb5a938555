"""Every line of the table that depends on a bound on requests says which; the bars of the issue are among the lines."""

from __future__ import annotations

import pytest
from bench.arms import Arm
from bench.figures import Bar, Figure, least, most
from bench.on_cluster import headlines
from bench.operator_cost import Growth
from bench.throughput import Comparison, slopes

ABOUT = "kwok, 50 requests/s each"


def arms(count: int, seconds: float, cpu: float) -> dict[str, Arm]:
    arm = Arm(count / seconds, [0.1], [0.2], mutating=7.0, events=1.0, etcd_bytes=1000.0, cpu_seconds=cpu)
    return dict.fromkeys("ABC", arm)


COMPARISON = Comparison(ABOUT, rounds={100: [arms(100, 10.0, 3.0)], 1000: [arms(1000, 200.0, 30.0)]})


def bars(figures: list[Figure]) -> dict[str, Bar]:
    return {figure.key: figure.bar for figure in figures if figure.bar is not None}


def test_each_line_of_the_arms_says_the_bound() -> None:
    figures = [*COMPARISON.figures(), *slopes(COMPARISON)]
    assert len(figures) > 30
    assert [figure.label for figure in figures if ABOUT not in figure.label] == []


def test_jobs_whose_helpers_do_no_work_are_a_line_of_their_own_without_a_bar() -> None:
    rounds = [arms(30, 20.0, 1.0) | {"B0": Arm(3.0)}]
    found = Comparison("real pods", "_real", rounds={30: rounds}).figures()
    (line,) = (figure for figure in found if figure.key == "throughput_vs_idle_helpers_30_real")
    assert line.median == 0.5
    assert line.bar is None
    assert bars(found)["throughput_vs_jobs_30_real"] == least(1.0)


def test_the_headlines_say_both_bounds() -> None:
    found = headlines(COMPARISON.figures(), (50, 100))
    assert [figure.key for figure in found] == [
        "throughput_vs_jobs",
        "throughput_vs_indexed_job",
        "mutating_requests_per_run",
    ]
    assert all("kwok: 50 and 100 requests/s each, real pods: 200" in figure.label for figure in found)


def test_time_and_processor_may_grow_little_more_than_linearly() -> None:
    found = slopes(COMPARISON)
    assert bars(found) == {"slope_seconds": most(1.1), "slope_cpu": most(1.1)}
    # Twenty times the seconds for ten times the runs; ten times the processor time.
    assert [figure.missed for figure in found] == [True, False]
    assert bars(COMPARISON.figures())["throughput_vs_jobs_1000"] == least(1.0)


@pytest.mark.parametrize(("at_10000", "missed"), [(170.0, False), (400.0, True)])
def test_memory_and_restarts_have_bars(at_10000: float, missed: bool) -> None:
    growth = Growth({0: 90.0, 1000: 98.0, 10_000: at_10000}, {0: 90.0, 1000: 98.0, 10_000: 400.0}, {0: 4.0, 1000: 5.0})
    growth.restart[10_000] = 18.0
    found = growth.figures()
    assert bars(found) == {
        "rss_mib_at_10000": most(250),
        "restart_seconds_at_10000": most(30),
        "slope_rss": most(1.1),
        "slope_restart": most(1.1),
    }
    assert any(figure.missed for figure in found) is missed
