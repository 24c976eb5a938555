"""What a benchmark found: figures with their spread and bars, as a table for people and a JSON line for programs."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.statistics_of import spread


@dataclass(frozen=True)
class Bar:
    """What a figure has to keep."""

    limit: float
    at_least: bool = False

    def keeps(self, value: float) -> bool:
        """Whether the value is on the right side; NaN never is."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.limit:g}"


def least(limit: float) -> Bar:
    """A bar from below."""
    return Bar(limit, at_least=True)


def most(limit: float) -> Bar:
    """A bar from above."""
    return Bar(limit)


@dataclass(frozen=True)
class Figure:
    """One line of the table: the median of `values`, one value a repeat."""

    key: str
    label: str
    values: Sequence[float]
    bar: Bar | None = None

    @property
    def median(self) -> float:
        """The figure itself."""
        return spread(self.values).median

    @property
    def missed(self) -> bool:
        """Whether there is a bar, and the median does not keep it."""
        return self.bar is not None and not self.bar.keeps(self.median)


def worst(figures: Sequence[Figure], pattern: str, key: str, label: str, bar: Bar | None) -> Figure | None:
    """Of the figures whose whole keys match the pattern, that with the worst median, under another key; None of none.

    Low is bad where the bar is one from below, else high is.
    """
    found = [figure for figure in figures if re.fullmatch(pattern, figure.key)]
    choose = min if bar is not None and bar.at_least else max
    return Figure(key, label, choose(found, key=lambda figure: figure.median).values, bar) if found else None


def table(figures: Sequence[Figure], lost: Mapping[str, str]) -> str:
    """Markdown, so that docs/performance.md can keep it as it was printed. `lost`: what was not measured, and why."""
    lines = ["| figure | median | min | max | repeats | bar | |", "| --- | --: | --: | --: | --: | --- | --- |"]
    for figure in figures:
        found = spread(figure.values)
        numbers = " | ".join(f"{value:.3g}" for value in (found.median, found.least, found.greatest))
        verdict = "" if figure.bar is None else "MISSED" if figure.missed else "ok"
        lines.append(f"| {figure.label} | {numbers} | {len(figure.values)} | {figure.bar or ''} | {verdict} |")
    lines += [f"| {name} | | | | | | not measured: {why.replace('|', '/')} |" for name, why in lost.items()]
    return "\n".join(lines)


def document(figures: Sequence[Figure], also: dict[str, object]) -> str:
    """One JSON object in one line: the medians by key, their spread, and the keys whose bars were missed."""
    medians = {figure.key: _number(figure.median) for figure in figures}
    spreads = {
        figure.key: [_number(found.least), _number(found.greatest)]
        for figure in figures
        for found in [spread(figure.values)]
    }
    missed = [figure.key for figure in figures if figure.missed]
    return json.dumps(also | medians | {"spread": spreads, "missed": missed})


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(f"{value:.4g}")
