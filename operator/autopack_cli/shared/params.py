"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from autopack.measures import parse_duration, parse_size
from autopack.settings import Settings, load_settings

F = TypeVar("F", bound=Callable[..., Any])


class Duration(click.ParamType[float]):
    """Seconds, or numbers with s, m, h, d or w: 90, 30m, 2h3m. `bare`: a number alone is allowed."""

    name = "duration"

    def __init__(self, *, bare: bool = True) -> None:
        self._bare = bare

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds."""
        if isinstance(value, int | float):
            return float(value)
        try:
            return parse_duration(str(value), bare=self._bare)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Size(click.ParamType[int]):
    """Bytes, or a number with K, M, G or T: 512M, 2G."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return bytes."""
        try:
            return parse_size(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def place_options(function: F) -> F:
    """Add `--source-repo` and `--autonomous-runs-dir`."""
    repo = click.option(
        "--source-repo",
        type=click.Path(path_type=Path),
        help="The repository. Default: $AUTOPACK_REPO_PATH, else the current directory.",
    )
    runs = click.option(
        "--autonomous-runs-dir",
        type=click.Path(path_type=Path),
        help="The folder of runs. Default: $AUTONOMOUS_RUNS_DIR, else .autonomous_runs in the current directory.",
    )
    return repo(runs(function))


def places(source_repo: Path | None, autonomous_runs_dir: Path | None) -> Settings:
    """Return the settings with what was given on the command line."""
    found = load_settings()
    return Settings(
        runs_dir=found.runs_dir if autonomous_runs_dir is None else autonomous_runs_dir.absolute(),
        repo_path=found.repo_path if source_repo is None else source_repo.absolute(),
        database_url=found.database_url,
    )
