"""Timestamps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopack_operator.domain import times


def test_a_moment_of_another_zone_is_written_in_utc() -> None:
    moment = datetime(2026, 1, 6, 12, 0, 0, 999, tzinfo=timezone(timedelta(hours=2)))
    assert times.rfc3339(moment) == "2026-01-06T10:00:00Z"


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_what_was_written_is_read_as_the_same_second(moment: datetime) -> None:
    assert times.parse(times.rfc3339(moment)) == moment.replace(microsecond=0)


def test_fractions_of_a_second_are_read() -> None:
    assert times.seconds_between("2026-01-06T12:00:00.250000Z", datetime(2026, 1, 6, 12, 0, 1, tzinfo=UTC)) == 0.75


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01T00:00:00Z"])
def test_anything_else_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"isoformat|month must be"):
        times.parse(text)
