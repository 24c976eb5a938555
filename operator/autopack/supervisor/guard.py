"""A small process that outlives the supervisor: when that is killed, it ends the runs' process groups.

Started by file name, with the standard library alone. Reads `+<pgid>` and `-<pgid>` lines; the end of its input is the
supervisor's end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

GRACE_SECONDS = 5.0


class Guard:
    """The supervisor's side. Without it (it could not be started, it was killed) runs go on as they would alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def add(self, pgid: int) -> None:
        """From now on the group ends with us."""
        self._tell(f"+{pgid}\n")

    def remove(self, pgid: int) -> None:
        """The group has ended."""
        self._tell(f"-{pgid}\n")

    def close(self) -> None:
        """Let the guard go; groups that are still there are ended."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        with self._lock, contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.write(line.encode("ascii"))
                self._process.stdin.flush()


def _signal(groups: set[int], number: int) -> set[int]:
    """Send a signal (0 only asks) and return the groups that were still there."""
    alive = set()
    for pgid in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pgid, number)
            alive.add(pgid)
    return alive


def watch() -> None:
    """Wait for the supervisor's end, then end what it left."""
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    alive = _signal(groups, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while alive and time.monotonic() < deadline:
        time.sleep(0.05)
        alive = _signal(alive, 0)
    _signal(alive, signal.SIGKILL)


if __name__ == "__main__":
    watch()
