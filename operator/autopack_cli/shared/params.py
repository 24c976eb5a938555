"""Options that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from autopack.settings import Settings, load_settings

F = TypeVar("F", bound=Callable[..., Any])

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([smhdw]?)", re.ASCII)

_SIZE = re.compile(r"(\d{1,15})\s*([KMGTkmgt]?)i?B?", re.ASCII)


class Duration(click.ParamType[float]):
    """Seconds, or a number with s, m, h, d or w: 90, 30m, 7d."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds."""
        if isinstance(value, int | float):
            return float(value)
        found = _DURATION.fullmatch(str(value).strip())
        if found is None:
            self.fail(f"'{value}' is not a duration such as 90, 30m or 7d", param, ctx)
        return float(found[1]) * _UNITS[found[2]]


class Size(click.ParamType[int]):
    """Bytes, or a number with K, M, G or T: 512M, 2G."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return bytes."""
        found = _SIZE.fullmatch(str(value).strip())
        if found is None:
            self.fail(f"'{value}' is not a size such as 512M or 2G", param, ctx)
        return int(found[1]) << (10 * (1 + "KMGT".index(found[2].upper())) if found[2] else 0)


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
