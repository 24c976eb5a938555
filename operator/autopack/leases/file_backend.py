"""Leases as locked files in a folder that the claimants share.

The kernel's lock on the file is what counts: it ends with its holder, however that dies. The file also says who holds
it, for people, and because the lock proves nothing about a holder on another machine. A file is never truncated before
it is locked, and never unlinked: either would let two hold the lease at once.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autopack.errors import AutopackError, InvalidInput, printable
from autopack.failpoints import hit

from .port import Holder, LeaseAlive
from .process import started_at, this_process
from .rules import Answer, has_ended, lost_its_lock, on_request

_KEY = re.compile(r"[A-Za-z0-9_+][A-Za-z0-9_.+-]{0,249}")
_MAX_RECORD = 64 * 1024
_PAUSE = 0.005
_GLANCE = 0.1


@dataclass(frozen=True)
class _Held:
    descriptor: int
    holder: Holder
    pid: int


class FileLeaseBackend:
    """A LeaseBackend on `<folder>/<key>.lock`, for processes of one machine and, with care, of several.

    `patience` (seconds) bounds the wait while a lock is taken but nobody is recorded: another process is just then
    claiming, releasing or looking.
    """

    def __init__(self, folder: Path, patience: float = 5) -> None:
        self.folder = Path(folder)
        self._patience = patience
        self._held: dict[str, _Held] = {}
        self._guard = threading.Lock()

    def path(self, key: str) -> Path:
        """Return the file of a lease; raises InvalidInput for a key that is no file name."""
        if not _KEY.fullmatch(key):
            raise InvalidInput(
                "key", f"'{printable(key, 80)}' cannot name a lease", "Use letters, digits, '.', '_', '-'"
            )
        return self.folder / f"{key}.lock"

    def try_acquire(self, key: str, holder: Holder) -> bool:
        """Claim the lease, as the port says. Raises OSError when the folder cannot be written."""
        path = self.path(key)
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._guard:
            held = self._held_here(key)
            if held is not None:
                return held.holder.identity == holder.identity
            descriptor = _lock(path, self._patience)
            if descriptor is None:
                return False
            try:
                taken = self._record(descriptor, holder)
            except BaseException:
                os.close(descriptor)
                raise
            if taken:
                self._held[key] = _Held(descriptor, holder, os.getpid())
            else:
                os.close(descriptor)
        hit("lease.after_acquire")
        return taken

    def release(self, key: str, holder: Holder) -> None:
        """Give the lease up, if `holder` took it through this backend and in this process."""
        with self._guard:
            held = self._held_here(key)
            if held is None or held.holder.identity != holder.identity:
                return
            hit("lease.before_release")
            del self._held[key]
            try:
                os.ftruncate(held.descriptor, 0)
                # Closing would not do: forks and children may have copies of the descriptor.
                fcntl.flock(held.descriptor, fcntl.LOCK_UN)
            finally:
                os.close(held.descriptor)

    def holder(self, key: str) -> Holder | None:
        """Return who has the lease now. A record that nobody can be shown to stand behind counts as a holder."""
        path = self.path(key)
        if not path.exists():
            return None
        with _probe(path) as descriptor:
            recorded = _read_record(path)
            if descriptor is None:
                return recorded or Holder("unknown")
            return None if recorded is None or lost_its_lock(recorded, this_process()) else recorded

    def force_release(self, key: str) -> bool:
        """Clear the record of a holder elsewhere; raises LeaseAlive when a process of this machine has the lock."""
        path = self.path(key)
        if not path.exists():
            return False
        with _probe(path) as descriptor:
            recorded = _read_record(path)
            if descriptor is None:
                raise LeaseAlive(key, str(recorded or "not recorded"))
            os.ftruncate(descriptor, 0)
            return recorded is not None and not lost_its_lock(recorded, this_process())

    def descriptor(self, key: str) -> int | None:
        """Return the locked file's descriptor, for a child that must keep the lease when we are killed."""
        held = self._held_here(key)
        return None if held is None else held.descriptor

    def _held_here(self, key: str) -> _Held | None:
        """Return what this process took; a fork's copy of the parent's claim is closed and is not a claim."""
        held = self._held.get(key)
        if held is not None and held.pid != os.getpid():
            os.close(self._held.pop(key).descriptor)
            return None
        return held

    @staticmethod
    def _record(descriptor: int, holder: Holder) -> bool:
        """Under the lock: decide, and note the new holder. Machines may both see a lock as theirs; hence records."""
        recorded = _parse(os.pread(descriptor, _MAX_RECORD, 0))
        gone = recorded is not None and lost_its_lock(recorded, holder)
        answer = on_request(recorded, holder, current_is_gone=gone)
        if answer is Answer.TAKE:
            data = json.dumps({"identity": holder.identity, **holder.facts}).encode() + b"\n"
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, data, 0)
        return answer is not Answer.REFUSE


@contextlib.contextmanager
def _probe(path: Path) -> Iterator[int | None]:
    """Yield a descriptor with the lock if it is free, else None."""
    descriptor = _lock(path, _GLANCE)
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _lock(path: Path, patience: float) -> int | None:
    """Return a descriptor with the lock on the file that is at `path` now, None if somebody is at work."""
    deadline = time.monotonic() + patience
    while True:
        descriptor = _try_lock(path)
        if descriptor is not None:
            return descriptor
        recorded = _read_record(path)
        if (recorded is not None and not _has_ended(recorded)) or time.monotonic() >= deadline:
            return None
        time.sleep(_PAUSE)


def _try_lock(path: Path) -> int | None:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise AutopackError("LeaseUnsafe", f"{printable(str(path))} is a symlink", "Remove it") from error
        raise
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Somebody may have removed the file by hand: a lock on what is no longer there holds nobody off.
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _read_record(path: Path) -> Holder | None:
    try:
        with path.open("rb") as file:
            return _parse(file.read(_MAX_RECORD))
    except OSError:
        return None


def _parse(data: bytes) -> Holder | None:
    """Read a record; None for an empty file and for one that a crash left half written."""
    try:
        record = json.loads(data)
        identity = record.pop("identity")
    except (ValueError, AttributeError, KeyError, TypeError):
        return None
    return Holder(str(identity), {str(name): str(value) for name, value in record.items()})


def _has_ended(holder: Holder) -> bool:
    pid = holder.facts.get("pid", "")
    return has_ended(holder, this_process(), started_at(int(pid)) if pid.isdecimal() else None)
