"""Runs in parallel, each in its own worktree, under its own locks, with its own artifacts."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from autopack.counts import count_of
from autopack.errors import AutopackError, printable
from autopack.file_layout import RunFileLayout, autonomous_runs_dir
from autopack.phases import Phase
from autopack.progress import Progress
from autopack.registry.delivery import Delivery
from autopack.run_ids import check_run_id, check_run_ids
from autopack.workspace_manager import WorkspaceManager

from .attempt_files import read_result
from .batch import Batch
from .control import StopControl
from .database import choose_strategy, outbox_of
from .errors import SupervisorError
from .execution import execute_attempt, settle
from .guard import Guard
from .journal import Journal, new_batch_id
from .limits import Demand, describe_limits, probe, tree_bytes
from .models import RunResult
from .options import SupervisorOptions, check_workers
from .outcome import is_retryable
from .preflight import make_runs_dir, prepare_recipe
from .quotas import Cores, usable_cores
from .recipe import Recipe, Services
from .results import failed_result, not_started, places_of, result_of
from .slots import Slots

__all__ = ["ParallelRunSupervisor", "SupervisorError"]


class ParallelRunSupervisor:
    """Executes runs of one repository. The seed's parameters, then `options`, where to show progress, and `slots`
    that are shared with other supervisors, by which the runs of a batch wait for each other.

    Raises SupervisorError when parallel runs would share one SQLite file, InvalidInput for a bad database address.
    """

    def __init__(
        self,
        source_repo: Path,
        database_url: str | None,
        autonomous_runs_dir: str | Path | None = None,
        per_run_sqlite: bool = False,
        *,
        options: SupervisorOptions | None = None,
        progress: Progress | None = None,
        slots: Slots | None = None,
    ) -> None:
        self.source_repo = Path(source_repo).resolve()
        self.database_url = database_url
        self.autonomous_runs_dir = str(_runs_dir(autonomous_runs_dir))
        self.per_run_sqlite = per_run_sqlite
        self.options = options or SupervisorOptions()
        self.interrupted = False
        self._progress = progress or Progress()
        self._slots = slots
        self._runs_dir = Path(self.autonomous_runs_dir)
        self._database = choose_strategy(database_url, self._runs_dir, per_run_sqlite=per_run_sqlite)

    def execute_run(self, run_id: str, extra_args: Sequence[str] | None = None) -> RunResult:
        """Execute one run now, whether or not it succeeded before; `extra_args` are appended to the command.

        Raises AutopackError only for what concerns no run in particular: a bad id, no repository, no database.
        """
        check_run_id(run_id)
        with self._session(new_batch_id(), extra_args, StopControl()) as (recipe, services):
            return self._execute(run_id, recipe, services)

    def execute_parallel(
        self, run_ids: Sequence[str], max_workers: int = 3, extra_args: Sequence[str] | None = None
    ) -> dict[str, RunResult]:
        """Execute runs, at most `max_workers` at once, and return their results in the order of `run_ids`.

        Runs that succeeded before are skipped unless `options.redo_existing`: calling it again resumes what was
        interrupted. In the main thread the first Ctrl-C lets the runs under way finish and starts no others, the second
        stops them; `interrupted` is true then. Results are written to `.batches/<batch id>/` as the runs end.
        """
        wanted, batch_id, control = check_run_ids(run_ids), new_batch_id(), StopControl()
        workers = min(check_workers(max_workers), max(1, len(wanted)))
        results: dict[str, RunResult] = {}
        with contextlib.ExitStack() as stack:
            recipe, services = stack.enter_context(self._session(batch_id, extra_args, control))
            journal = Journal(self._runs_dir, batch_id, len(wanted), self.options.results_file)
            stack.callback(journal.close)

            def on_result(*ended: RunResult) -> None:
                results.update({result.run_id: result for result in ended})
                for result in ended:
                    self._show(result)
                try:
                    journal.add(*ended)
                except OSError as error:
                    self._progress.note(f"warning: the results cannot be written: {error.strerror}")

            done = {} if self.options.redo_existing else self._done_before(wanted)
            left = [run_id for run_id in wanted if run_id not in done]
            self._say_limits(recipe, min(workers, len(left)), len(left))
            self._progress.begin(len(wanted), workers)
            for run_id in done:
                settle(run_id, recipe, services)
            on_result(*done.values())
            batch = Batch(
                lambda run_id: self._execute_in_turn(run_id, recipe, services),
                control,
                workers,
                self.options.start_jitter,
            )
            never = batch.run(left, on_result, self._progress.note)
            on_result(*map(not_started, never))
            self.interrupted = control.draining
            with contextlib.suppress(OSError):
                journal.finish(interrupted=self.interrupted)
            self._progress.note(f"results: {printable(str(journal.results_file), 500)}")
        return {run_id: results[run_id] for run_id in wanted}

    @staticmethod
    def list_worktrees(source_repo: Path) -> list[dict[str, str | bool]]:
        """Return the worktrees of a repository, the main one first: path, commit, branch or detached."""
        return WorkspaceManager.list_worktrees(source_repo)

    @staticmethod
    def cleanup_all_worktrees(repo: Path, worktree_base: Path | None = None) -> int:
        """Save and remove the worktrees in `worktree_base` that nobody uses; return how many."""
        return WorkspaceManager.cleanup_all_worktrees(repo=repo, worktree_base=worktree_base)

    @contextlib.contextmanager
    def _session(
        self, batch_id: str, extra_args: Sequence[str] | None, control: StopControl
    ) -> Iterator[tuple[Recipe, Services]]:
        """Check everything that can be checked, then bring up what runs share, and take it down at the end."""
        recipe = prepare_recipe(batch_id, self._runs_dir, self.source_repo, self.options, extra_args or ())
        with contextlib.closing(self._database):
            self._database.check()
            make_runs_dir(self._runs_dir, self.source_repo)
            outbox = outbox_of(self._runs_dir, self._database)
            delivery = Delivery(outbox, self._database.registry_of)
            delivery.start()
            try:
                with contextlib.closing(Guard()) as guard:
                    cores = Cores(usable_cores())
                    yield recipe, Services(self._database, outbox, delivery.notify, control, guard, cores)
            finally:
                waiting = delivery.close(self.options.flush_seconds)
            if waiting:
                why = delivery.last_error or "the database is slow"
                where = f"The rows of {count_of(waiting, 'run')} wait in {printable(str(outbox.folder), 300)}"
                self._progress.note(
                    f"warning: {why}. {where}; they are sent at the next start, or by 'autopack registry replay'"
                )

    def _show(self, result: RunResult) -> None:
        if not result.started:
            self._progress.never_started(result.run_id)
            return
        said = [result.error] if result.error else []
        said += [f"{name}: {place}" for name, place in places_of(result).items()]
        self._progress.finished(
            result.run_id,
            success=result.success,
            skipped=result.skipped,
            seconds=result.seconds,
            detail="; ".join(said),
        )

    def _done_before(self, run_ids: Sequence[str]) -> dict[str, RunResult]:
        found = {}
        for run_id in run_ids:
            layout = RunFileLayout(run_id, base_dir=self._runs_dir)
            facts = read_result(layout)
            if facts is not None and facts.state is Phase.SUCCEEDED:
                found[run_id] = result_of(facts, layout, 0.0, skipped=True)
        return found

    def _say_limits(self, recipe: Recipe, workers: int, runs: int) -> None:
        if runs == 0:
            return
        demand = Demand(workers, runs, tree_bytes(self.source_repo, recipe.base_sha), self.per_run_sqlite)
        for line in describe_limits(probe(self._runs_dir), demand):
            self._progress.note(line)

    def _execute_in_turn(self, run_id: str, recipe: Recipe, services: Services) -> RunResult:
        """Execute a run when there is a slot for it; never raises, as `_execute`."""
        if self._slots is None:
            return self._execute(run_id, recipe, services)
        try:
            with self._slots.taken(services.control.pause, lambda why: self._progress.note(f"{run_id}: {why}")) as slot:
                return not_started(run_id) if slot is None else self._execute(run_id, recipe, services, slot)
        except (AutopackError, OSError) as error:
            return failed_result(run_id, error)

    def _execute(self, run_id: str, recipe: Recipe, services: Services, held: Collection[int] = ()) -> RunResult:
        """Execute a run with its retries; never raises, so that no run ends the others."""
        layout = RunFileLayout(run_id, base_dir=self._runs_dir)
        began = time.monotonic()
        left = self.options.max_retries
        while True:
            try:
                facts = execute_attempt(
                    run_id, recipe, services, lambda number: self._progress.started(run_id, number), held
                )
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not take the other runs with it
                return failed_result(run_id, error)
            if left == 0 or services.control.draining or not is_retryable(facts.reason):
                return result_of(facts, layout, time.monotonic() - began)
            left -= 1
            self._progress.note(f"{run_id}: {facts.message}; trying again")


def _runs_dir(given: str | Path | None) -> Path:
    return autonomous_runs_dir() if given is None else Path(given).absolute()
