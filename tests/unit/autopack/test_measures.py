"""Lengths of time and sizes: one style, written and read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopack.measures import duration, parse_duration, parse_size, size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0s"),
        (0, "0s"),
        (0.6, "1s"),
        (59.4, "59s"),
        (59.6, "1m0s"),
        (65, "1m5s"),
        (200, "3m20s"),
        (3600, "1h0m"),
        (7380, "2h3m"),
        (273_600, "3d4h"),
    ],
)
def test_lengths_of_time_are_told_as_kubectl_does(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1.5", 1.5), ("30m", 1800), ("2 h", 7200), ("7d", 604800), ("1w", 604800), (" 2h3m ", 7380)],
)
def test_lengths_of_time_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "-1", "1y", "1m5", "1e3", "inf", "٣s", "1s" * 6])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration such as 90, 30m or 7d"):
        parse_duration(text)


def test_a_unit_can_be_demanded() -> None:
    assert parse_duration("5d", bare=False) == 432_000
    with pytest.raises(ValueError, match="'5' is not a duration such as 30m or 7d"):
        parse_duration("5", bare=False)


@given(st.integers(0, 10**9))
def test_what_is_written_is_read_as_the_same_but_for_what_was_left_out(seconds: int) -> None:
    left_out = seconds - parse_duration(duration(seconds), bare=False)
    assert 0 <= left_out < (3600 if seconds >= 86_400 else 60 if seconds >= 3600 else 1)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, ""),
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (20 << 20, "20 MiB"),
        (5 << 30, "5.0 GiB"),
        (1 << 40, "1.0 TiB"),
        (5000 << 40, "5000 TiB"),
    ],
)
def test_sizes_are_written_in_powers_of_1024(count: int | None, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(("text", "count"), [("1024", 1024), ("512M", 512 << 20), ("2g", 2 << 30), ("1 KiB", 1024)])
def test_sizes_are_read(text: str, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize("text", ["", "M", "-1", "1.5G", "1P", "1 KKB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size such as 512M or 2G"):
        parse_size(text)
