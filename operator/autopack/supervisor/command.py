"""The command and the environment that a run gets. Pure but for looking whether the default program is there."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autopack.errors import InvalidInput
from autopack.worktree_setup import worktree_environment

DEFAULT_EXECUTOR = Path("src", "autopack", "autonomous_executor.py")


@dataclass(frozen=True)
class RunPlace:
    """Where a run works and what it is called."""

    run_id: str
    attempt: int
    workspace: Path
    artifacts: Path
    runs_dir: Path


def parse_command(text: str | None, source_repo: Path) -> tuple[str, ...]:
    """Return the words of the user's command (no shell is involved), by default the repository's own executor.

    Raises InvalidInput for an empty or wrongly quoted command, and when the default is needed but not there.
    """
    if text is None:
        script = source_repo / DEFAULT_EXECUTOR
        if not script.is_file():
            message = f"no command is given, and the repository has no {DEFAULT_EXECUTOR}"
            raise InvalidInput("command", message, "Give --command 'my-agent --task {run_id}'")
        return (sys.executable, str(script), "--run-id", "{run_id}")
    return _words(text, "command", "my-agent --task {run_id}")


def parse_setup(text: str) -> tuple[str, ...]:
    """Return the words of a setup command; raise InvalidInput as `parse_command` does."""
    return _words(text, "setup", "npm ci")


def _words(text: str, field: str, example: str) -> tuple[str, ...]:
    if "\0" in text:
        raise InvalidInput(field, "the command has a NUL character", "Remove it")
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise InvalidInput(field, f"the command's quotes do not match ({error})", "Close every quote") from error
    if not words:
        raise InvalidInput(field, "the command is empty", f"Give --{field} '{example}'")
    return words


def command_of(words: Sequence[str], extra_args: Sequence[str], place: RunPlace) -> list[str]:
    """Return the argument list of one run: `{run_id}`, `{workspace}`, `{artifacts}` are filled in, all else is kept."""
    values = {
        "{run_id}": place.run_id,
        "{workspace}": str(place.workspace),
        "{artifacts}": str(place.artifacts),
    }
    return [_fill(word, values) for word in words] + list(extra_args)


def _fill(word: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        word = word.replace(name, value)
    return word


def environment_of(base: Mapping[str, str], place: RunPlace, database_url: str) -> dict[str, str]:
    """Return the environment of one run: that of a worktree, and what the run must know."""
    return worktree_environment(base, place.workspace.parent, place.runs_dir) | {
        "DATABASE_URL": database_url,
        "AUTONOMOUS_RUNS_DIR": str(place.runs_dir),
        "AUTOPACK_RUN_ID": place.run_id,
        "AUTOPACK_ATTEMPT": str(place.attempt),
        "AUTOPACK_WORKSPACE": str(place.workspace),
        "AUTOPACK_ARTIFACTS": str(place.artifacts),
        "PYTHONUTF8": "1",
    }
