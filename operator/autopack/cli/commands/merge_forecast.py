"""`autopack merge-forecast`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autopack.cli.output import echo
from autopack.cli.params import place_options, places
from autopack.errors import printable
from autopack.settings import check_repository

if TYPE_CHECKING:
    from autopack.merge_forecast import Conflict, MergeForecast

_SHOWN_PATHS = 5


@click.command("merge-forecast")
@click.argument("branches", nargs=-1)
@click.option("--base", default="HEAD", show_default=True, help="What is to be merged into.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@place_options
def merge_forecast_command(
    branches: tuple[str, ...], base: str, source_repo: Path | None, autonomous_runs_dir: Path | None, *, as_json: bool
) -> None:
    """Tell which branches merge cleanly, and in which order. Default: all branches of runs that have ended.

    Every merge is tried; nothing in the repository changes.
    """
    from autopack.merge_forecast import merge_forecast

    repo = check_repository(places(source_repo, autonomous_runs_dir).repo_path)
    forecast = merge_forecast(repo, branches or None, base)
    if as_json:
        echo(json.dumps(asdict(forecast)))
    else:
        show_forecast(forecast)


def show_forecast(forecast: MergeForecast) -> None:
    """Print a forecast for people."""
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
    _section("Merged already", map(printable, forecast.merged))


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
