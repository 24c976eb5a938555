"""The claim of a manager on the place of one worktree, for as long as the worktree lives.

It is kept in the repository's git dir, so that processes which disagree about every other folder still meet there. The
workspace lease is another one: the run itself may take that while the manager holds this.
"""

from __future__ import annotations

import threading
from pathlib import Path

from .errors import printable
from .git.worktree_entries import state_dir
from .leases.lease import Lease
from .workspace_lease import workspace_key

_guard = threading.Lock()
_mine: dict[Path, Occupancy] = {}


class Occupancy(Lease):
    """The claim on the worktree at `path` of the repository whose git dir is `common`."""

    def __init__(self, common: Path, path: Path) -> None:
        self._held_message = f"Workspace lease already held for {printable(str(path), 300)}"
        super().__init__(workspace_key(path), state_dir(common) / "leases", 5, None)

    def acquire(self) -> bool:
        """Claim the place; False if another manager has it, in this process or elsewhere."""
        granted = super().acquire()
        if granted:
            with _guard:
                _mine[self.lock_file_path] = self
        return granted

    def release(self) -> None:
        """Give the claim up."""
        with _guard:
            if _mine.get(self.lock_file_path) is self:
                del _mine[self.lock_file_path]
        super().release()

    def release_by_process(self) -> None:
        """Give up the claim that another manager of this same process has on the place, if there is one.

        Cleaning up is asked for by the process as a whole; its managers that never finished must not prevent it.
        """
        with _guard:
            other = _mine.pop(self.lock_file_path, None)
        if other is not None:
            other.release()
