"""Ratios are of one round, and trees that could not be made do not count as quick ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.trees.compared import Case
from bench.trees.rounds import Attempt, Taken, ratios, rounds, shares_of_ideal
from bench.trees.ways import Source

ROUNDS = [
    {"ours": Taken(8.0, 8, 8), "git": Taken(4.0, 8, 8)},
    # Half of git's trees failed: its time for a tree that stands is twice as long.
    {"ours": Taken(8.0, 8, 8), "git": Taken(4.0, 4, 8)},
]


def test_a_ratio_is_of_the_trees_that_stand() -> None:
    assert ratios(ROUNDS, "ours", "git") == [2.0, 1.0]


def test_the_ideal_divides_the_time_of_one_tree_by_the_cores() -> None:
    # 8 trees of 1.2 s each on 2 cores: 4.8 s at best; 8 s is a share of 0.6.
    assert shares_of_ideal(ROUNDS, "ours", 1.2, 2) == pytest.approx([0.6, 0.6])


class NoRepository(Source):
    """Trees that are folders."""

    def clean(self, folder: Path) -> None:
        """Nothing is left: the ways below move their trees away."""


def test_each_round_begins_with_another_way_and_single_trees_are_warmed_up_first(tmp_path: Path) -> None:
    source = NoRepository(tmp_path, tmp_path, tmp_path / "order")
    made: list[str] = []

    def way(tree: Path) -> bool:
        made.append(tree.parent.name)
        tree.parent.rename(tmp_path / f"done{len(made)}")
        return True

    found = rounds(source, tmp_path, {"a": Attempt(way, 1, 1), "b": Attempt(way, 1, 1)}, 2)
    assert made == ["a", "b", "a", "b", "b", "a"]
    assert [each["a"].made for each in found] == [1, 1]


def test_a_way_that_never_works_is_no_measurement(tmp_path: Path) -> None:
    source = NoRepository(tmp_path, tmp_path, tmp_path / "order")
    with pytest.raises(RuntimeError, match="none of 2"):
        rounds(source, tmp_path, {"a": Attempt(lambda tree: False, 2, 2)}, 1)


def test_keys_tell_cases_apart() -> None:
    cases = [Case(1000, 1, 5), Case(1000, 32, 5), Case(8000, 1, 5), Case(8000, 1, 5, disk=True)]
    assert len({case.tail for case in cases}) == 4
