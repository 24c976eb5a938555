"""The executor lock: one executor at a time for one run id."""

from __future__ import annotations

from pathlib import Path

from .file_layout import autonomous_runs_dir
from .leases.lease import Lease
from .leases.port import LeaseBackend
from .run_ids import path_component


class ExecutorLockManager(Lease):
    """The right to execute the run `run_id`.

    The file lies in `lock_dir` (default: `.locks` in the folder of all runs). `timeout` (seconds) bounds the wait while
    another process is in the middle of claiming or releasing; a lock that is held is refused at once. `with` raises
    LeaseHeld, a RuntimeError. Raises InvalidInput for a bad run id.
    """

    def __init__(
        self, run_id: str, lock_dir: Path | None = None, timeout: float = 5, *, backend: LeaseBackend | None = None
    ) -> None:
        self.run_id = run_id
        self.lock_dir = autonomous_runs_dir() / ".locks" if lock_dir is None else Path(lock_dir)
        self._run_to_unlock = run_id
        self._held_message = f"Executor lock already held for run_id={run_id}"
        super().__init__(path_component(run_id), self.lock_dir, timeout, backend)
