"""Forecasts of merges, for people."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from autopack.errors import printable
from autopack_cli.shared.output import echo

if TYPE_CHECKING:
    from autopack.merge_forecast import Conflict, MergeForecast

_SHOWN_PATHS = 5


def show_forecast(forecast: MergeForecast, uncommitted: Collection[str] = ()) -> None:
    """Print a forecast for people. `uncommitted` are the branches of runs that left work which they did not commit."""
    if not forecast.order and not forecast.left_out and not forecast.merged:
        echo("no branches of runs to merge")
        return
    echo(f"Into {forecast.base}, one after the other, without a conflict: {len(forecast.order)}")
    for number, name in enumerate(forecast.order, 1):
        # A run's branch shares its short name with refs/autopack/<run>, which git would take first.
        echo(f"  {number}. git merge refs/heads/{printable(name)}")
    _section("Cannot join them", (f"{printable(one.second)}: {_paths(one)}" for one in forecast.left_out))
    pairs = (f"{printable(one.first)} and {printable(one.second)}: {_paths(one)}" for one in forecast.conflicts)
    _section("All pairs that clash", pairs)
    _section("Merged already", (printable(name) for name in forecast.merged if name not in uncommitted))
    left = (printable(name) for name in forecast.merged if name in uncommitted)
    _section("Merged already, but for uncommitted work in a snapshot", left)


def _section(title: str, lines: Iterable[str]) -> None:
    found = list(lines)
    if found:
        echo(f"{title}: {len(found)}")
        for line in found:
            echo(f"  {line}")


def _paths(conflict: Conflict) -> str:
    shown = ", ".join(printable(path, 200) for path in conflict.paths[:_SHOWN_PATHS])
    more = len(conflict.paths) - _SHOWN_PATHS
    return f"{shown} and {more} more" if more > 0 else shown
