"""`autopack merge-forecast`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from autopack.settings import check_repository
from autopack_cli.shared.output import echo
from autopack_cli.shared.params import place_options, places


@click.command("merge-forecast", short_help="Show which finished branches merge cleanly, and in which order.")
@click.argument("branches", nargs=-1)
@click.option("--base", default="HEAD", show_default=True, help="Branch to merge into.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@place_options
def merge_forecast_command(
    branches: tuple[str, ...], base: str, source_repo: Path | None, autonomous_runs_dir: Path | None, *, as_json: bool
) -> None:
    """Tell which branches merge cleanly, and in which order. Default: all branches of runs that have ended.

    Every merge is tried; nothing in the repository changes.
    """
    from autopack.merge_forecast import has_snapshot, merge_forecast
    from autopack_cli.shared.forecasts import show_forecast

    repo = check_repository(places(source_repo, autonomous_runs_dir).repo_path)
    forecast = merge_forecast(repo, branches or None, base)
    if as_json:
        echo(json.dumps(asdict(forecast)))
    else:
        show_forecast(forecast, [name for name in forecast.merged if has_snapshot(repo, name)])
