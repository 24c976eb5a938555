"""Index ranges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopack_operator.domain import indexes


@given(st.sets(st.integers(0, 4999)))
def test_what_was_rendered_is_parsed_as_the_same_set(numbers: set[int]) -> None:
    assert indexes.parse(indexes.render(numbers)) == numbers


@pytest.mark.parametrize(
    ("numbers", "text"), [([], ""), ([4], "4"), ([0, 1], "0-1"), ([7, 0, 2, 1, 3, 7], "0-3,7"), ([1, 3, 5], "1,3,5")]
)
def test_neighbours_become_a_range(numbers: list[int], text: str) -> None:
    assert indexes.render(numbers) == text


@pytest.mark.parametrize("text", ["a", "1-", "-1", "1-2-3", "1;2", "3-1", "0-5000", "99999999999", "1,", ","])
def test_anything_else_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="index"):
        indexes.parse(text)
