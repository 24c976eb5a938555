"""The local supervisor: many runs of one repository in parallel, as processes of this machine."""

from __future__ import annotations

from autopack.autonomy.parallelism_gate import ParallelismPolicyViolation

from .api import check_parallelism_allowed, cleanup_worktrees, list_worktrees, run_parallel_supervised
from .errors import SupervisorError
from .models import RunResult, SupervisorResult
from .options import Keep, SupervisorOptions
from .parallel_run_supervisor import ParallelRunSupervisor
from .quotas import Quota

__all__ = [
    "Keep",
    "ParallelRunSupervisor",
    "ParallelismPolicyViolation",
    "Quota",
    "RunResult",
    "SupervisorError",
    "SupervisorOptions",
    "SupervisorResult",
    "check_parallelism_allowed",
    "cleanup_worktrees",
    "list_worktrees",
    "run_parallel_supervised",
]
