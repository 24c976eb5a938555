"""The workspace lease: one executor at a time in one folder, whatever its run is called."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from .errors import printable
from .file_layout import autonomous_runs_dir
from .leases.lease import Lease
from .leases.port import LeaseBackend


def workspace_key(workspace_path: Path) -> str:
    """Return the key of a folder's lease: from its real absolute path, so that no symlink leads around it."""
    digest = hashlib.sha256(os.fsencode(Path(workspace_path).resolve())).hexdigest()
    return f"workspace_{digest[:16]}"


class WorkspaceLease(Lease):
    """Exclusive use of the folder `workspace_path` (it need not exist).

    The file lies in `lease_dir` (default: `.workspace_leases` in the folder of all runs). `timeout` (seconds) bounds
    the wait while another process is in the middle of claiming or releasing; a lease that is held is refused at once.
    `with` raises LeaseHeld, a RuntimeError.
    """

    def __init__(
        self,
        workspace_path: Path,
        lease_dir: Path | None = None,
        timeout: float = 5,
        *,
        backend: LeaseBackend | None = None,
    ) -> None:
        self.workspace_path = Path(workspace_path).resolve()
        self.lease_dir = autonomous_runs_dir() / ".workspace_leases" if lease_dir is None else Path(lease_dir)
        self._held_message = f"Workspace lease already held for {printable(str(self.workspace_path), 300)}"
        super().__init__(workspace_key(self.workspace_path), self.lease_dir, timeout, backend)
