"""What the supervisor answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from autopack.unsaved import Saved, Unsaved

TAIL_BYTES = 4 * 1024
"""How much of a run's output a result carries; all of it is in the run's log files."""

NOT_STARTED = "NotStarted"
"""The reason of a run whose turn did not come before the batch was ended."""


@dataclass(frozen=True, eq=False)
class RunResult(Mapping[str, object]):
    """How one run ended.

    `exit_code` is the command's (128 + signal if a signal ended it), -1 if it was never started; `stdout` and `stderr`
    are the last 4 KiB of the log files; `error` says in one line why `success` is false, `reason` in one word.
    It began at `base`, `commit` is where its HEAD was, `snapshot` holds what was not committed, `ref` names that, and
    `history_ref` what else there was (staged, under way, in repositories inside the tree).
    `saved` says how much of the work is kept, `unsaved` what is not. `usage` is what its agent used in all attempts
    (agents/usage.py has it in JSON), `summary` what that said last, if its output is one that is read. `skipped` marks
    a run that had succeeded before and was not executed again. Fields can also be had as `result["success"]`, as in
    earlier versions.
    """

    run_id: str
    success: bool
    exit_code: int
    workspace: Path | None = None
    stdout: str = ""
    stderr: str = ""
    error: str | None = None
    reason: str | None = None
    attempt: int = 0
    seconds: float = 0.0
    branch: str | None = None
    commit: str | None = None
    snapshot: str | None = None
    skipped: bool = False
    base: str | None = None
    ref: str | None = None
    saved: Saved = "all"
    unsaved: tuple[Unsaved, ...] = ()
    history_ref: str | None = None
    usage: dict[str, Any] | None = None
    summary: str | None = None

    @property
    def started(self) -> bool:
        """Whether the run's turn came."""
        return self.reason != NOT_STARTED

    def __getitem__(self, name: str) -> object:
        if name not in _NAMES:
            raise KeyError(name)
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)


_NAMES = tuple(one.name for one in fields(RunResult))


@dataclass
class SupervisorResult:
    """All results, by run id, in the order in which the runs were given."""

    run_results: dict[str, RunResult] = field(default_factory=dict)
    parallelism_allowed: bool = False
    anchor_path: Path | None = None
    interrupted: bool = False

    @property
    def total_runs(self) -> int:
        """How many runs there were, those that were never started included."""
        return len(self.run_results)

    @property
    def successful_runs(self) -> int:
        """How many succeeded, now or before."""
        return len(self.get_successful_run_ids())

    @property
    def failed_runs(self) -> int:
        """How many did not."""
        return self.total_runs - self.successful_runs

    @property
    def all_successful(self) -> bool:
        """Whether every run succeeded."""
        return all(result.success for result in self.run_results.values())

    def get_failed_run_ids(self) -> list[str]:
        """Return the ids of the runs that did not succeed."""
        return [run_id for run_id, result in self.run_results.items() if not result.success]

    def get_successful_run_ids(self) -> list[str]:
        """Return the ids of the runs that succeeded."""
        return [run_id for run_id, result in self.run_results.items() if result.success]
