"""The slope of memory leaves the warm-up out, and runs that failed are no churn."""

from __future__ import annotations

import pytest
from bench.churn import STEADY_MIB_PER_HOUR, failures, figures_of, slope

STEADY = [(minute, 80.0 + min(minute, 10.0)) for minute in map(float, range(61))]


def test_what_grows_while_it_warms_up_is_steady_afterwards() -> None:
    assert slope(STEADY) == pytest.approx(0)
    assert not any(figure.missed for figure in figures_of(STEADY))


def test_the_slope_is_that_of_an_hour() -> None:
    assert slope([(minute / 6, 100 + minute / 6) for minute in range(31)]) == pytest.approx(60)


def test_growth_misses_the_bar() -> None:
    grown = [(minute, mib + minute * 1.1 * STEADY_MIB_PER_HOUR / 60) for minute, mib in STEADY]
    assert [figure.key for figure in figures_of(grown) if figure.missed] == ["slope_mib_per_hour"]


def test_whatever_did_not_succeed_counts() -> None:
    ended = {"Succeeded": 100.0, "Failed": 2.0, "Canceled": 1.0}
    metrics = {f'autopack_runs_finished_total{{phase="{phase}"}}': count for phase, count in ended.items()}
    assert failures(metrics | {"autopack_leader": 1.0}) == 3
