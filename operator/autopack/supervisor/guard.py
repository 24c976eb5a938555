"""A small process that outlives the supervisor: when that is killed, it ends the runs' process groups.

Started by file name, with the standard library alone. Reads `+<pgid>` and `-<pgid>` lines, and `.` when all is well;
the end of its input without that is the supervisor's death. Then it also looks for what was started but not announced
any more: everything a run starts has the guard's mark in its environment.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

GRACE_SECONDS = 5.0
MARK_VARIABLE = "AUTOPACK_GUARD"
# As long as a process may take from its birth to the environment we gave it.
_BIRTH_SECONDS = 0.2


class Guard:
    """The supervisor's side. Without it (it could not be started, it was killed) runs go on as they would alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mark = secrets.token_hex(16)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, self._mark],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def environment(self) -> dict[str, str]:
        """What everything that is to end with us must have in its environment."""
        return {MARK_VARIABLE: self._mark}

    def add(self, pgid: int) -> None:
        """From now on the group ends with us."""
        self._tell(f"+{pgid}\n")

    def remove(self, pgid: int) -> None:
        """The group has ended."""
        self._tell(f"-{pgid}\n")

    def close(self) -> None:
        """Let the guard go; groups that are still there are ended."""
        self._tell(".\n")
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


def _marked(mark: str) -> set[int]:
    """Return the process groups of all processes that have the mark in their environment."""
    wanted, groups = f"{MARK_VARIABLE}={mark}".encode("ascii"), set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                groups.add(os.getpgid(int(folder.name)))
    return groups


def watch(mark: str) -> None:
    """Wait for the supervisor's end, then end what it left."""
    groups: set[int] = set()
    died = True
    for line in sys.stdin:
        if line[0] == ".":
            died = False
        else:
            (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    if died:
        time.sleep(_BIRTH_SECONDS)
        groups |= _marked(mark)
    alive = _signal(groups, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while alive and time.monotonic() < deadline:
        time.sleep(0.05)
        alive = _signal(alive, 0)
    _signal(alive, signal.SIGKILL)


if __name__ == "__main__":
    watch(sys.argv[1])
