"""How a batch is executed, beyond the seed's own parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from autopack.agents.formats import OutputFormat
from autopack.errors import InvalidInput

from .quotas import Quota

MAX_WORKERS = 256
MAX_RETRIES = 100
MAX_SECONDS = 365 * 24 * 3600.0


class Keep(StrEnum):
    """Which worktrees stay when their runs have ended. What is removed is saved to refs/autopack/<run> first."""

    NONE = "none"
    FAILED = "failed"
    ALL = "all"


@dataclass(frozen=True)
class SupervisorOptions:
    """Raises InvalidInput for a value that makes no sense.

    `command` is the user's (words as in a shell, but no shell is involved; `{run_id}`, `{workspace}` and `{artifacts}`
    are filled in), by default the repository's `src/autopack/autonomous_executor.py --run-id <id>`. `ref` is where all
    runs begin. `timeout` (seconds) bounds each attempt, `max_retries` counts further attempts after a failure,
    `start_jitter` (seconds) is the longest random pause before a start. `setup` are commands run in each fresh
    worktree, `quota` bounds each run. `private_home` gives each attempt a home folder of its own, which begins with
    git's settings and the `home_files` of the user's. `agent_output` is what the command prints: from all but text,
    transcript, usage and summary are read. `flush_seconds` bounds the wait for the database at the end; rows that are
    left wait on disk.
    """

    command: str | None = None
    ref: str = "HEAD"
    timeout: float | None = None
    max_retries: int = 0
    start_jitter: float = 0.0
    redo_existing: bool = False
    keep: Keep = Keep.NONE
    setup: Sequence[str] = ()
    allow_incomplete: bool = False
    private_home: bool = False
    home_files: Sequence[str] = ()
    quota: Quota = field(default_factory=Quota)
    agent_output: OutputFormat = OutputFormat.TEXT
    results_file: Path | None = None
    flush_seconds: float = 10.0

    def __post_init__(self) -> None:
        if self.home_files and not self.private_home:
            raise InvalidInput("home_files", "is for runs with a home of their own", "Give --private-home as well")
        _check_seconds("timeout", self.timeout, above_zero=True)
        _check_seconds("start_jitter", self.start_jitter, above_zero=False)
        if not 0 <= self.max_retries <= MAX_RETRIES:
            raise InvalidInput("max_retries", f"{self.max_retries} is not from 0 to {MAX_RETRIES}", "Give another")


def _check_seconds(name: str, value: float | None, *, above_zero: bool) -> None:
    # NaN fails every comparison, so it is refused as well.
    if value is not None and not (0 <= value <= MAX_SECONDS and (value > 0 or not above_zero)):
        raise InvalidInput(name, f"{value} is not a number of seconds up to one year", "Use 3600, for example")


def check_workers(workers: int) -> int:
    """Return the number of workers; raise InvalidInput if it is not from 1 to 256."""
    if not 1 <= workers <= MAX_WORKERS:
        raise InvalidInput(
            "workers", f"{workers} is not from 1 to {MAX_WORKERS}", "Use about as many as there are cores"
        )
    return workers
