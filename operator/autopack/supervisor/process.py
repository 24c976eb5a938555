"""One run's process group: started with its output going to files, ended as a whole."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

GRACE_SECONDS = 5.0
"""How long a process group has between SIGTERM and SIGKILL."""

NOT_FOUND = 127
NOT_EXECUTABLE = 126


@dataclass(frozen=True)
class Ended:
    """How a process group ended: the exit code as a shell would say it, and whether we ended it."""

    exit_code: int
    timed_out: bool = False
    stopped: bool = False


class ProcessGroup:
    """A started command. `stop` may be called from any thread."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._ended = threading.Event()
        self._stopped = False
        self._timed_out = False

    @property
    def pgid(self) -> int:
        """The group's id, which is the first process's pid."""
        return self._process.pid

    def wait(self, timeout: float | None) -> Ended:
        """Wait for the command; after `timeout` seconds stop it. What it left running in its group is killed."""
        timer = None
        if timeout is not None:
            timer = threading.Timer(timeout, self._time_out)
            timer.daemon = True
            timer.start()
        try:
            code = self._process.wait()
        except BaseException:
            # Nobody is to wait for it any more, so it must not go on.
            self._signal(signal.SIGKILL)
            self._process.wait()
            raise
        finally:
            self._ended.set()
            if timer is not None:
                timer.cancel()
        self._signal(signal.SIGKILL)
        return Ended(code if code >= 0 else 128 - code, self._timed_out, self._stopped)

    def stop(self, grace: float = GRACE_SECONDS) -> None:
        """Ask the group to end, and kill it after `grace` seconds; returns when its first process has ended."""
        self._stopped = True
        self._end(grace)

    def note_end(self) -> None:
        """Say that the command has ended, to those who are stopping it, where somebody else waits for it."""
        self._ended.set()

    def _time_out(self) -> None:
        self._timed_out = not self._stopped
        self._end(GRACE_SECONDS)

    def _end(self, grace: float) -> None:
        if grace > 0 and not self._ended.is_set():
            self._signal(signal.SIGTERM)
            self._ended.wait(grace)
        if not self._ended.is_set():
            self._signal(signal.SIGKILL)
            self._ended.wait()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def start(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdout: Path,
    stderr: Path,
    pass_fds: Collection[int] = (),
) -> ProcessGroup:
    """Start a command in a session of its own, so that a Ctrl-C in our terminal reaches us alone.

    Its output goes straight into the two files, which must not exist yet: nothing of it passes through our memory, and
    it goes on even when we are killed. Raises OSError when the program cannot be started.
    """
    with _new_file(stdout) as out, _new_file(stderr) as err:
        process = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            pass_fds=tuple(pass_fds),
            start_new_session=True,
        )
    return ProcessGroup(process)


def _new_file(path: Path) -> IO[bytes]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o644), "wb")


def tail(path: Path, limit: int) -> str:
    """Return the last `limit` bytes of a file as text; nothing for one that is not there."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - limit))
            return file.read(limit).decode("utf-8", "replace")
    except OSError:
        return ""
