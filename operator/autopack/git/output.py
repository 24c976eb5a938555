"""The first part of what git prints, where all of it could be more than memory holds."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from .runner import GitError, git_environment, kill_git, start_git

_MAX_COMPLAINT = 4096


def git_output(args: Sequence[str], limit: int, *, git_dir: Path, timeout: float) -> tuple[bytes, bool]:
    """Run `git <args>` and return the first `limit` bytes of what it prints, and whether there was more.

    Git is ended once it has printed enough, or after `timeout` seconds. Raises as `run_git` does.
    """
    with tempfile.TemporaryFile() as complaints:
        process = start_git(args, subprocess.DEVNULL, complaints, git_dir=git_dir, env=git_environment(None, ()))
        late = threading.Event()

        def give_up() -> None:
            late.set()
            kill_git(process)

        timer = threading.Timer(timeout, give_up)
        timer.start()
        try:
            data = _read(process, limit + 1)
        finally:
            timer.cancel()
            timer.join()
        complaints.seek(0)
        said = complaints.read(_MAX_COMPLAINT)
    if late.is_set():
        raise GitError(args, -9, f"no answer in {timeout:g} s".encode(), reason="GitTimeout")
    if len(data) <= limit and process.returncode != 0:
        raise GitError(args, process.returncode, said)
    return data[:limit], len(data) > limit


def _read(process: subprocess.Popen[bytes], most: int) -> bytes:
    with process:
        data = process.stdout.read(most) if process.stdout else b""
        if len(data) == most:
            kill_git(process)
        process.wait()
    return data
