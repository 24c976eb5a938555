"""What the environment says about where things are; command-line options go before it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .errors import AutopackError, InvalidInput, printable
from .file_layout import autonomous_runs_dir
from .git.worktree_entries import common_dir

DATABASE_URL_VARIABLE = "DATABASE_URL"
REPO_PATH_VARIABLE = "AUTOPACK_REPO_PATH"


@dataclass(frozen=True)
class Settings:
    """Absolute paths of the folder of runs and of the source repository, and the database's address if there is one."""

    runs_dir: Path
    repo_path: Path
    database_url: str | None = field(default=None, repr=False)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read AUTONOMOUS_RUNS_DIR, AUTOPACK_REPO_PATH and DATABASE_URL; an empty variable counts as absent."""
    variables = os.environ if environ is None else environ
    return Settings(
        runs_dir=autonomous_runs_dir(variables),
        repo_path=Path(variables.get(REPO_PATH_VARIABLE) or Path.cwd()).absolute(),
        database_url=variables.get(DATABASE_URL_VARIABLE) or None,
    )


def check_repository(path: Path) -> Path:
    """Return `path` if it is in a git repository; raise InvalidInput otherwise."""
    try:
        common_dir(path)
    except AutopackError as error:
        message = f"{printable(str(path), 300)} is not a git repository"
        raise InvalidInput("source_repo", message, f"Give --source-repo, or set {REPO_PATH_VARIABLE}") from error
    return path
