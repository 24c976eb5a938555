"""A lease as an object: acquire, release, `with`. WorkspaceLease and ExecutorLockManager are the two kinds."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from autopack.errors import AutopackError, printable

from .file_backend import FileLeaseBackend
from .port import LeaseBackend
from .process import this_process


class LeaseHeld(AutopackError, RuntimeError):  # noqa: N818 - says a state
    """Somebody else has the lease."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__("LeaseHeld", message, fix)
        self.args = (message, fix)


class Lease:
    """One claimant's handle on one lease. Not shared between threads."""

    _held_message: str
    _run_to_unlock: str = "<run>"

    def __init__(self, key: str, folder: Path, timeout: float, backend: LeaseBackend | None) -> None:
        self._key = key
        self._backend: LeaseBackend = backend or FileLeaseBackend(folder, timeout)
        self._me = this_process()
        self.timeout = timeout
        self.lock_file_path = folder / f"{key}.lock"

    def acquire(self) -> bool:
        """Claim at once; False if somebody else has it. True again for a handle that has it already."""
        return self._backend.try_acquire(self._key, self._me)

    def release(self) -> None:
        """Give it up; nothing happens if this handle does not have it."""
        self._backend.release(self._key, self._me)

    def is_locked(self) -> bool:
        """Tell whether anybody has it now. A file left by a process that died is no lock."""
        return self._backend.holder(self._key) is not None

    def force_unlock(self) -> bool:
        """Take it from a holder nobody can ask, such as one on a machine that is gone; False if nobody had it.

        Raises LeaseAlive when a process of this machine is at work under it.
        """
        return self._backend.force_release(self._key)

    def holder(self) -> str | None:
        """Say who has it, on one line for people; None if it is free."""
        found = self._backend.holder(self._key)
        return None if found is None else printable(str(found), 300)

    def fileno(self) -> int | None:
        """Return the locked file's descriptor while this handle holds a lock file, else None.

        A child that inherits it (`pass_fds`) keeps the lease if we are killed, so nobody disturbs its work.
        """
        return self._backend.descriptor(self._key) if isinstance(self._backend, FileLeaseBackend) else None

    def __enter__(self) -> Self:
        if not self.acquire():
            raise self.held_error()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def held_error(self) -> LeaseHeld:
        """Return the error that says who has the lease and what to do."""
        who = self.holder() or "it has just been released"
        return LeaseHeld(
            f"{self._held_message} ({who})",
            "Wait until it has ended, or end it. If it ran on a machine that is gone:"
            f" autopack unlock {self._run_to_unlock}",
        )
