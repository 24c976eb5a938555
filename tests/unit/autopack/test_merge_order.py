"""The order in which branches are tried."""

import pytest

from autopack.merge_forecast import Conflict, best_order


@pytest.mark.parametrize(
    ("names", "clashes", "order"),
    [
        ("abc", [], "abc"),
        ("abc", ["ab", "ac"], "bca"),
        ("abcd", ["ab", "bc", "bd"], "acdb"),
        ("ab", ["Xa"], "ba"),
    ],
    ids=["as given", "the troublemaker last", "a hub last", "the base counts"],
)
def test_best_order(names: str, clashes: list[str], order: str) -> None:
    conflicts = [Conflict(pair[0], pair[1], ("f",)) for pair in clashes]
    assert best_order(names, conflicts) == list(order)
