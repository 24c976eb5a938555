"""When the next run of a paced batch may start, to the second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.autopack_operator.builders import BatchBuilder

from autopack_operator.domain.api.batch import RunBatchSpec
from autopack_operator.domain.batch.pacing import last_start, paced, seconds_left
from autopack_operator.domain.times import rfc3339

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def spec(interval: int = 0, jitter: int = 0) -> RunBatchSpec:
    wanted = BatchBuilder().spec(startIntervalSeconds=interval, startJitterSeconds=jitter)
    return RunBatchSpec.model_validate(wanted.view().spec)


@pytest.mark.parametrize(("interval", "jitter", "held"), [(0, 0, False), (1, 0, True), (0, 1, True)])
def test_a_batch_has_a_pace_when_either_is_set(interval: int, jitter: int, held: bool) -> None:
    assert paced(spec(interval, jitter)) == held


def test_what_this_process_remembers_is_exact() -> None:
    assert last_start(NOW, rfc3339(NOW + SECOND), rfc3339(NOW + SECOND)) == NOW


def test_what_is_stored_without_fractions_is_rounded_up_by_one_second() -> None:
    assert last_start(None, rfc3339(NOW), "") == NOW + SECOND


def test_the_younger_of_status_and_runs_counts() -> None:
    assert last_start(None, rfc3339(NOW - SECOND), rfc3339(NOW)) == NOW + SECOND
    assert last_start(None, rfc3339(NOW), rfc3339(NOW - SECOND)) == NOW + SECOND


def test_nothing_is_waited_for_before_the_first_start() -> None:
    assert last_start(None, None, "") is None
    assert seconds_left(spec(60), "uid", 0, None, NOW) == 0.0


def test_the_interval_counts_from_the_last_start() -> None:
    assert seconds_left(spec(60), "uid", 1, NOW, NOW) == 60.0
    assert seconds_left(spec(60), "uid", 1, NOW - 59 * SECOND, NOW) == 1.0
    assert seconds_left(spec(60), "uid", 1, NOW - 61 * SECOND, NOW) == 0.0


def waits(uid: str) -> list[float]:
    return [seconds_left(spec(10, 100), uid, index, NOW, NOW) for index in range(200)]


def test_the_jitter_takes_up_all_of_its_range_and_no_more() -> None:
    assert 10.0 <= min(waits("a")) < 12.0
    assert 108.0 < max(waits("a")) < 110.0


def test_the_jitter_is_the_same_whoever_asks_and_another_for_each_run_and_batch() -> None:
    assert waits("a") == waits("a")
    assert len(set(waits("a") + waits("b"))) == 400
