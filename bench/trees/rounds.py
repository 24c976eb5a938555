"""Timing ways to a tree against each other: in each round all of them, one after the other in changing order."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .ways import Source, Way


@dataclass(frozen=True)
class Taken:
    """One way, once: the seconds until the last of its trees stood, and how many did."""

    seconds: float
    made: int
    wanted: int

    @property
    def a_tree(self) -> float:
        """Seconds for each tree that stands: git's own way fails at times when many call it at once."""
        return self.seconds / self.made


@dataclass(frozen=True)
class Attempt:
    """How a way is asked: for `count` trees, of which at most `at_once` are in the making."""

    way: Way
    count: int
    at_once: int


Round = Mapping[str, Taken]


def rounds(source: Source, scratch: Path, attempts: Mapping[str, Attempt], repeats: int) -> list[Round]:
    """Measure all attempts `repeats` times, each time in another order; before that, each once to warm the caches,
    where that is a matter of a few trees.
    """
    names = list(attempts)
    if all(attempt.count == 1 for attempt in attempts.values()):
        for name in names:
            _measure(source, scratch / name, attempts[name])
    found: list[Round] = []
    for number in range(repeats):
        turn = number % len(names)
        order = names[turn:] + names[:turn]
        found.append({name: _measure(source, scratch / name, attempts[name]) for name in order})
    return found


def _measure(source: Source, folder: Path, attempt: Attempt) -> Taken:
    trees = [folder / f"t{number}" for number in range(attempt.count)]
    folder.mkdir(parents=True)
    try:
        with ThreadPoolExecutor(attempt.at_once) as pool:
            # Nothing is left to be written from before.
            os.sync()
            started = time.perf_counter()
            made = sum(pool.map(attempt.way, trees))
            seconds = time.perf_counter() - started
    finally:
        source.clean(folder)
    if not made:
        raise RuntimeError(f"none of {attempt.count} trees in {folder.name} could be made")
    return Taken(seconds, made, attempt.count)


def ratios(found: Sequence[Round], one: str, other: str) -> list[float]:
    """Time of a tree by one way against another's of the same round, for each round."""
    return [each[one].a_tree / each[other].a_tree for each in found]


def shares_of_ideal(found: Sequence[Round], name: str, one_tree: float, cores: int) -> list[float]:
    """How close each round came to the ideal: `one_tree` seconds for each tree, all cores busy with nothing else."""
    return [one_tree / cores / each[name].a_tree for each in found]
