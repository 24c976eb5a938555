"""What `supervise` does with its options. The library is imported only here: help must be quick."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click

from autopack.settings import Settings
from autopack_cli.shared.failures import OK, RUNS_FAILED
from autopack_cli.shared.output import echo

if TYPE_CHECKING:
    from autopack.progress import Progress
    from autopack.supervisor import RunResult, SupervisorResult

_RULE = "=" * 80
_NO_RUNS = "--run-ids required for execution mode (or use --list-worktrees / --cleanup)"
_NO_ANCHOR = (
    "--anchor-path required for parallel execution. Parallel runs require an IntentionAnchorV2 with"
    " parallelism_isolation.allowed=true"
)


class Request(TypedDict):
    """The options of one call; see the command's help."""

    run_ids: str | None
    anchor_path: Path | None
    workers: int
    database_url: str | None
    per_run_sqlite: bool
    command: str | None
    extra_args: tuple[str, ...]
    ref: str
    pattern: str | None
    slice_text: str | None
    timeout: float | None
    max_retries: int
    start_jitter: float
    redo_existing: bool
    keep_worktrees: str
    setup: tuple[str, ...]
    allow_incomplete: bool
    private_home: bool
    home_files: tuple[str, ...]
    worker_memory: int | None
    worker_cpus: int | None
    agent_output: str
    results_file: Path | None
    verbose: bool


def supervise(request: Request, settings: Settings) -> int:
    """Execute the runs and print the summary; return the exit code. Raises AutopackError for bad input."""
    if not request["run_ids"]:
        raise click.UsageError(_NO_RUNS)
    if request["anchor_path"] is None:
        raise click.UsageError(_NO_ANCHOR)
    from autopack.progress import choose_progress
    from autopack.supervisor.selection import parse_run_ids, select

    run_ids = select(parse_run_ids(request["run_ids"]), request["pattern"], request["slice_text"])
    with choose_progress(sys.stderr) as progress, _logging_to(progress, verbose=request["verbose"]):
        result = _execute(request, settings, run_ids, request["anchor_path"], progress)
    _print_summary(result)
    return OK if result.all_successful else RUNS_FAILED


def _execute(
    request: Request, settings: Settings, run_ids: list[str], anchor_path: Path, progress: Progress
) -> SupervisorResult:
    from autopack.agents.formats import OutputFormat
    from autopack.supervisor import Keep, ParallelismPolicyViolation, Quota, SupervisorOptions, run_parallel_supervised

    options = SupervisorOptions(
        command=request["command"],
        ref=request["ref"],
        timeout=request["timeout"],
        max_retries=request["max_retries"],
        start_jitter=request["start_jitter"],
        redo_existing=request["redo_existing"],
        keep=Keep(request["keep_worktrees"]),
        setup=request["setup"],
        allow_incomplete=request["allow_incomplete"],
        private_home=request["private_home"],
        home_files=request["home_files"],
        quota=Quota(request["worker_memory"], request["worker_cpus"]),
        agent_output=OutputFormat(request["agent_output"]),
        results_file=None if request["results_file"] is None else request["results_file"].absolute(),
    )
    try:
        return run_parallel_supervised(
            run_ids=run_ids,
            anchor_path=anchor_path,
            source_repo=settings.repo_path,
            database_url=request["database_url"],
            autonomous_runs_dir=settings.runs_dir,
            per_run_sqlite=request["per_run_sqlite"],
            max_workers=request["workers"],
            extra_args=request["extra_args"],
            options=options,
            progress=progress,
        )
    except ParallelismPolicyViolation as error:
        raise click.ClickException(f"PARALLELISM BLOCKED: {error}") from error


def _print_summary(result: SupervisorResult) -> None:
    from autopack.supervisor.results import places_of, told_by_agent

    echo(f"\n{_RULE}\nEXECUTION SUMMARY\n{_RULE}")
    for run_id, run in result.run_results.items():
        echo(f"{run_id}: {_word(run)}")
        if run.error:
            echo(f"  Error: {run.error}")
        if run.workspace is not None and run.workspace.exists():
            echo(f"  Workspace: {run.workspace}")
        for name, said in (told_by_agent(run) | places_of(run)).items():
            echo(f"  {name}: {said}")
    if result.interrupted:
        echo("\nInterrupted. Run the same command again to continue with the remaining runs.")
    echo(f"\nTotal: {result.successful_runs}/{result.total_runs} successful")


def _word(run: RunResult) -> str:
    if not run.started:
        return "NOT STARTED"
    word = "SUCCESS" if run.success else "FAILED"
    return f"{word}{' (before)' if run.skipped else ''}{', BUT NOT ALL WORK IS SAVED' if run.saved != 'all' else ''}"


class _ToProgress(logging.Handler):
    """Shows log lines where the progress is shown, so that neither tears the other apart."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        self._progress.note(f"{record.levelname.lower()}: {record.getMessage()}")


@contextlib.contextmanager
def _logging_to(progress: Progress, *, verbose: bool) -> Iterator[None]:
    logger = logging.getLogger("autopack")
    handler = _ToProgress(progress)
    logger.addHandler(handler)
    before = logger.level, logger.propagate
    logger.setLevel(logging.DEBUG if verbose else logging.WARNING)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.level, logger.propagate = before
