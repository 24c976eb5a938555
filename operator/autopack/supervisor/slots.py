"""Slots that the runs of one project share, whoever supervises them: no more run at once than its anchor allows."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from autopack.errors import printable
from autopack.files import names_in
from autopack.git.locks import file_lock
from autopack.git.worktree_entries import common_dir, state_dir

_LOOK_SECONDS = 30.0
_PAUSE = 0.25


class Slots:
    """At most `most` slots of the project `project_id` in a repository, over all processes of this machine.

    A slot is a locked file: it is free again when the processes that have it open have ended, however they died.
    """

    def __init__(self, repo: Path, project_id: str, most: int) -> None:
        self._repo, self._project_id, self._most = repo, project_id, most

    @contextlib.contextmanager
    def taken(self, wait: Callable[[float], bool], say: Callable[[str], None]) -> Iterator[tuple[int, ...] | None]:
        """Hold a slot; yields descriptors that keep it for a child that inherits them, should we be killed.

        While all are taken, `say` is told why once, and `wait` is called with seconds until it returns False: then
        None is yielded. Raises OSError or AutopackError when the repository's git dir cannot be written.
        """
        slot = self._try_take()
        if slot is None:
            project = printable(self._project_id, 80)
            say(f"waiting: the anchor of '{project}' allows {self._most} runs at once, and others are under way")
        while slot is None and wait(_PAUSE):
            slot = self._try_take()
        if slot is None:
            yield None
            return
        try:
            yield (slot,)
        finally:
            # Closing would not do: what the run has left behind may have a copy.
            fcntl.flock(slot, fcntl.LOCK_UN)
            os.close(slot)

    @functools.cached_property
    def _folder(self) -> Path:
        key = hashlib.sha256(self._project_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        folder = state_dir(common_dir(self._repo)) / "slots" / key
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _try_take(self) -> int | None:
        # One looks at a time, for whoever looks holds each free file for a moment.
        with file_lock(self._folder / "look", _LOOK_SECONDS, "the list of runs under way"):
            names = [name for name in names_in(self._folder) if name.isdecimal()]
            free = [found for name in names if (found := _try_lock(self._folder / name)) is not None]
            # All count, and not only as many as our anchor allows: another supervisor's may have allowed more.
            slot = None
            if len(names) - len(free) < self._most:
                slot = free.pop() if free else _try_lock(self._folder / str(len(names)))
            for descriptor in free:
                os.close(descriptor)
            return slot


def _try_lock(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
