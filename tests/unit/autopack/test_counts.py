"""Numbers in words."""

from __future__ import annotations

import pytest

from autopack.counts import count_of


@pytest.mark.parametrize(
    ("number", "thing", "words"),
    [
        (0, "run", "0 runs"),
        (1, "run", "1 run"),
        (2, "run", "2 runs"),
        (1, "batch", "1 batch"),
        (3, "batch", "3 batches"),
    ],
)
def test_one_is_singular_and_all_else_plural(number: int, thing: str, words: str) -> None:
    assert count_of(number, thing) == words
