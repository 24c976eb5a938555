"""The supervisor as functions: the anchor's owner is asked before anything else happens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autopack.autonomy.parallelism_gate import ParallelismPolicyGate, load_and_check_parallelism_policy
from autopack.errors import InvalidInput
from autopack.progress import Progress
from autopack.run_ids import check_run_ids
from autopack.settings import load_settings

from .models import RunResult, SupervisorResult
from .options import SupervisorOptions, check_workers
from .parallel_run_supervisor import ParallelRunSupervisor
from .slots import Slots

__all__ = [
    "RunResult",
    "SupervisorResult",
    "check_parallelism_allowed",
    "cleanup_worktrees",
    "list_worktrees",
    "run_parallel_supervised",
]


def check_parallelism_allowed(anchor_path: Path, requested_workers: int) -> bool:
    """Return True if the anchor allows that many runs at once; raise AnchorError or ParallelismPolicyViolation."""
    load_and_check_parallelism_policy(anchor_path, requested_workers)
    return True


def run_parallel_supervised(
    *,
    run_ids: Sequence[str],
    anchor_path: Path,
    source_repo: Path | None = None,
    database_url: str | None = None,
    autonomous_runs_dir: str | Path | None = None,
    per_run_sqlite: bool = False,
    max_workers: int = 3,
    extra_args: Sequence[str] | None = None,
    options: SupervisorOptions | None = None,
    progress: Progress | None = None,
) -> SupervisorResult:
    """Execute runs in parallel if the anchor allows it; what is not given comes from the environment.

    Runs of other supervisors of the same project in the same repository count as well: beyond what the anchor allows
    at once, runs wait for each other.

    Raises InvalidInput, AnchorError, ParallelismPolicyViolation, SupervisorError or DatabaseUnreachable before any
    run is touched; from then on every run has a result.
    """
    settings = load_settings()
    wanted = check_run_ids(run_ids)
    if not wanted:
        raise InvalidInput("run_ids", "no run is given", "Give at least one run id")
    anchor = load_and_check_parallelism_policy(Path(anchor_path), min(check_workers(max_workers), len(wanted)))
    repo = settings.repo_path if source_repo is None else source_repo
    supervisor = ParallelRunSupervisor(
        repo,
        database_url or settings.database_url,
        settings.runs_dir if autonomous_runs_dir is None else autonomous_runs_dir,
        per_run_sqlite,
        options=options,
        progress=progress,
        slots=Slots(repo, anchor.project_id, ParallelismPolicyGate(anchor).get_max_concurrent_runs()),
    )
    results = supervisor.execute_parallel(wanted, max_workers, extra_args)
    return SupervisorResult(results, True, Path(anchor_path), supervisor.interrupted)


def list_worktrees(source_repo: Path | None = None) -> list[dict[str, str | bool]]:
    """Return the worktrees of a repository, by default the one of the environment."""
    return ParallelRunSupervisor.list_worktrees(source_repo or load_settings().repo_path)


def cleanup_worktrees(source_repo: Path | None = None, worktree_base: Path | None = None) -> int:
    """Save and remove the worktrees that nobody uses, by default those in the folder of runs; return how many."""
    settings = load_settings()
    base = worktree_base or settings.runs_dir / "workspaces"
    return ParallelRunSupervisor.cleanup_all_worktrees(source_repo or settings.repo_path, base)
