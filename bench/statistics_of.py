"""Medians, percentiles and slopes: the few numbers that a table keeps of many."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """Median of repeats, with the least and the greatest."""

    median: float
    least: float
    greatest: float

    def __str__(self) -> str:
        return f"{self.median:.3g} ({self.least:.3g} to {self.greatest:.3g})"


def spread(values: Sequence[float]) -> Spread:
    """Of one or more values."""
    return Spread(statistics.median(values), min(values), max(values))


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of the values do not exceed (nearest rank); NaN of none."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def log_log_slope(points: Sequence[tuple[float, float]]) -> float:
    """Exponent of the power law that fits the points best: 1 is linear growth. NaN of fewer than two sizes."""
    usable = [(math.log(size), math.log(value)) for size, value in points if size > 0 and value > 0]
    if len({size for size, _ in usable}) < 2:
        return math.nan
    slope, _ = statistics.linear_regression([x for x, _ in usable], [y for _, y in usable])
    return slope
