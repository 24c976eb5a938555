"""One attempt at one run: lock, worktree, lease, command, results. Whatever fails on the way, what was taken is given
back, what was written is kept, and the registry is told.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import traceback
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from autopack.agents.listener import Listener
from autopack.agents.usage import from_json, to_json
from autopack.errors import AutopackError, printable
from autopack.executor_lock import ExecutorLockManager
from autopack.failpoints import hit
from autopack.file_layout import RunFileLayout
from autopack.git.branches import RUN_PREFIX
from autopack.git.save import run_ref
from autopack.phases import Phase
from autopack.registry.events import RunRecord, now
from autopack.workspace_lease import WorkspaceLease
from autopack.workspace_manager import WorkspaceManager

from .attempt_files import log_paths, read_result, set_aside_earlier, write_result
from .command import RunPlace, command_of, environment_of
from .control import Level
from .options import Keep
from .outcome import Verdict, judge
from .process import NOT_EXECUTABLE, NOT_FOUND, ProcessGroup, start
from .quotas import bound
from .recipe import Recipe, Services
from .surroundings import Surroundings, surroundings
from .work import close_workspace

_log = logging.getLogger(__name__)

OnStart = Callable[[int], None]


def execute_attempt(
    run_id: str, recipe: Recipe, services: Services, on_start: OnStart, held: Collection[int] = ()
) -> RunRecord:
    """Execute a run once and return how it ended; `on_start` is told the attempt's number, counted from 1.

    The command inherits the descriptors `held`, so that what they keep is kept until it has ended.
    Raises LeaseHeld when the run is being executed elsewhere, in which case nothing of it was touched, and OSError
    when the folder of runs cannot be written.
    """
    layout = RunFileLayout(run_id, base_dir=recipe.runs_dir)
    with ExecutorLockManager(run_id, layout.lock_path.parent) as lock:
        hit("run.after_lock")
        layout.ensure_directories()
        _record_missed_end(layout, services)
        set_aside_earlier(layout, recipe.agent_output)
        before = services.outbox.last(run_id)
        facts = RunRecord(
            run_id=run_id,
            attempt=1 if before is None else before.attempt + 1,
            state=Phase.RUNNING,
            at=now(),
            batch_id=recipe.batch_id,
            base_sha=recipe.base_sha,
            workspace=printable(str(layout.workspace_dir), 4096),
            artifacts=printable(str(layout.base_dir), 4096),
            started_at=now(),
            # What all attempts used is added up.
            usage=None if before is None else before.usage,
            summary=None if before is None else before.summary,
        )
        services.record(facts)
        hit("run.after_record")
        on_start(facts.attempt)
        number = lock.fileno()
        facts = _Attempt(facts, layout, recipe, services, [*held, *([] if number is None else [number])]).execute()
        facts = replace(facts, at=now(), finished_at=now())
        write_result(layout, facts)
        hit("run.after_result")
        services.record(facts)
        hit("run.after_last_record")
        return facts


def settle(run_id: str, recipe: Recipe, services: Services) -> None:
    """Record the end of a run that will not be executed again, if a crash came between its result and its record."""
    layout = RunFileLayout(run_id, base_dir=recipe.runs_dir)
    lock = ExecutorLockManager(run_id, layout.lock_path.parent)
    # Whoever has the lock records what there is to record.
    if lock.acquire():
        try:
            _record_missed_end(layout, services)
        finally:
            lock.release()


def _record_missed_end(layout: RunFileLayout, services: Services) -> None:
    ended, last = read_result(layout), services.outbox.last(layout.run_id)
    if ended is not None and (last is None or (last.attempt == ended.attempt and last.finished_at is None)):
        services.record(ended)


class _Attempt:
    def __init__(
        self, facts: RunRecord, layout: RunFileLayout, recipe: Recipe, services: Services, held: Sequence[int]
    ) -> None:
        self._facts = facts
        self._layout = layout
        self._recipe = recipe
        self._services = services
        self._held = held

    def execute(self) -> RunRecord:
        try:
            self._execute()
        except (AutopackError, OSError) as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - a defect of ours must not take the other runs with it
            self._layout.get_diagnostics_dir().mkdir(exist_ok=True)
            place = self._layout.get_diagnostics_dir() / f"supervisor.a{self._facts.attempt}.txt"
            place.write_text(traceback.format_exc(), "utf-8", "backslashreplace")
            self._fail(AutopackError("InternalError", f"{type(error).__name__} in the supervisor, see {place}"))
        return self._facts

    def _fail(self, error: AutopackError | OSError) -> None:
        reason = error.reason if isinstance(error, AutopackError) else "InputOutput"
        if reason == "SetupFailed" and self._services.control.level >= Level.STOP:
            self._conclude(Verdict(Phase.CANCELED, -1, "Canceled", "stopped while its worktree was being set up"))
            return
        self._conclude(Verdict(Phase.FAILED, -1, reason, printable(str(error), 1000)))

    def _conclude(self, verdict: Verdict) -> None:
        self._facts = replace(
            self._facts,
            state=verdict.state,
            exit_code=verdict.exit_code,
            reason=verdict.reason,
            message=verdict.message,
        )

    def _execute(self) -> None:
        with surroundings(self._layout, self._recipe, self._services.guard) as around:
            self._execute_in(around)

    def _execute_in(self, around: Surroundings) -> None:
        recipe, layout = self._recipe, self._layout
        database_url = self._services.database.prepare(layout)
        hit("run.after_database")
        manager = WorkspaceManager(
            layout.run_id,
            recipe.source_repo,
            layout.workspace_dir.parent,
            lease_dir=layout.leases_dir,
            preparation=replace(
                recipe.preparation,
                setup_log=log_paths(layout)[2],
                setup_env=around.environment,
                setup_watch=self._watching_setup,
            ),
        )
        # The manager claims the place, under the lease as well, before it touches anything there.
        workspace = manager.create_worktree(f"{RUN_PREFIX}{layout.name}", start_point=recipe.base_sha)
        self._facts = replace(self._facts, branch=manager.branch)
        try:
            with WorkspaceLease(workspace, layout.leases_dir) as lease:
                held = [number for it in (lease, manager) if (number := it.fileno()) is not None]
                held = [*self._held, *held, around.descriptor]
                self._conclude(self._run_command(workspace, database_url, around, held))
            self._hear()
            hit("run.before_leave")
        finally:
            self._leave(manager)
            hit("run.after_leave")

    def _run_command(self, workspace: Path, database_url: str, around: Surroundings, held: list[int]) -> Verdict:
        recipe, layout, services = self._recipe, self._layout, self._services
        place = RunPlace(layout.run_id, self._facts.attempt, workspace, layout.base_dir, recipe.runs_dir)
        argv = command_of(recipe.words, recipe.extra_args, place)
        stdout, stderr, _ = log_paths(layout)
        env = environment_of(os.environ, place, database_url) | around.environment
        with services.cores.borrow(recipe.quota.cpus) as cores:
            try:
                group = start(argv, cwd=workspace, env=env, stdout=stdout, stderr=stderr, pass_fds=held)
            except OSError as error:
                return _not_started(argv[0], error)
            hit("run.after_start")
            services.guard.add(group.pgid)
            try:
                hit("run.after_guard")
                bound(group.pgid, recipe.quota.memory, cores)
                with services.control.watching(group):
                    ended = group.wait(recipe.timeout)
                hit("run.after_end")
                return judge(ended, recipe.timeout)
            finally:
                services.guard.remove(group.pgid)

    def _hear(self) -> None:
        """Add what the command told of itself, if it is one that does."""
        if self._recipe.agent_output is None:
            return
        listener = Listener(self._layout.base_dir, self._recipe.agent_output)
        told = listener.conclude()
        if listener.problem:
            _log.warning("run %s: %s", printable(self._layout.run_id, 200), listener.problem)
        used = from_json(self._facts.usage).plus(from_json(told["usage"]))
        summary = told["summary"]
        self._facts = replace(
            self._facts,
            usage=to_json(used) if used.known else None,
            summary=summary if isinstance(summary, str) else self._facts.summary,
        )

    @contextlib.contextmanager
    def _watching_setup(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """End a setup command with us, and when the batch is stopped."""
        group, services = ProcessGroup(process), self._services
        services.guard.add(group.pgid)
        try:
            with services.control.watching(group):
                yield
        finally:
            group.note_end()
            services.guard.remove(group.pgid)

    def _leave(self, manager: WorkspaceManager) -> None:
        keep = self._recipe.keep is Keep.ALL or (
            self._recipe.keep is Keep.FAILED and self._facts.state is not Phase.SUCCEEDED
        )
        work = close_workspace(manager, keep=keep)
        ref = None if work.snapshot is None else run_ref(self._layout.name)
        self._facts = replace(
            self._facts,
            branch=work.branch,
            head_sha=work.head,
            snapshot_sha=work.snapshot,
            ref=ref,
            saved=work.saved,
            unsaved=work.unsaved,
            history_ref=work.history_ref,
        )
        if work.problem:
            with contextlib.suppress(OSError):
                note = self._layout.get_diagnostics_dir()
                note.mkdir(exist_ok=True)
                (note / f"worktree.a{self._facts.attempt}.txt").write_text(work.problem + "\n", "utf-8")


def _not_started(program: str, error: OSError) -> Verdict:
    missing = isinstance(error, FileNotFoundError)
    what = "was not found" if missing else f"cannot be started: {error.strerror}"
    message = f"the command '{printable(program, 200)}' {what}"
    return Verdict(Phase.FAILED, NOT_FOUND if missing else NOT_EXECUTABLE, "CommandNotStarted", message)
