"""Running other programs: quick ones for their output, slow ones with progress and a log."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from devcluster.failure import Failure
from devcluster.progress import Progress

POLL_SECONDS = 0.1


def output_of(argv: Sequence[str], *, check: bool = True, timeout: float = 60, stdin: str | None = None) -> str:
    """Run a quick command and return its stdout; with `check`, a failure carries the last line of its stderr."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=timeout, input=stdin)
    except FileNotFoundError as error:
        raise Failure(f"{argv[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise Failure(f"`{' '.join(argv)}` did not end within {timeout:.0f} s") from error
    if check and done.returncode != 0:
        raise Failure(f"`{' '.join(argv)}` failed: {last_line(done.stderr) or f'exit code {done.returncode}'}")
    return done.stdout


def succeeds(argv: Sequence[str], *, timeout: float = 20) -> bool:
    """Whether a quick command ends with 0; a missing program or a timeout counts as no."""
    try:
        return subprocess.run(argv, capture_output=True, check=False, timeout=timeout).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def run_logged(
    argv: Sequence[str],
    *,
    log: Path,
    progress: Progress,
    doing: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> None:
    """Run a slow command with its output in `log`; its newest line is shown every few seconds.

    Raises Failure with the last lines of the log when the command fails.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    progress.say(f"{doing} (log: {log})")
    with log.open("wb") as sink:
        try:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, env=env, cwd=cwd
            )
        except FileNotFoundError as error:
            raise Failure(f"{argv[0]} is not installed") from error
        try:
            while process.poll() is None:
                progress.heartbeat(lambda: f"{doing}: {last_line(tail(log)) or 'working'}")
                time.sleep(POLL_SECONDS)
        except BaseException:
            process.kill()
            process.wait()
            raise
    if process.returncode != 0:
        raise Failure(f"{doing} failed (exit code {process.returncode}); the end of {log}:\n{tail(log, lines=12)}")


def tail(path: Path, *, lines: int = 1) -> str:
    """Return the last non-empty lines of a text file; empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 16384))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])


def last_line(text: str) -> str:
    """Return the last non-empty line, shortened to fit a terminal."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:160] if lines else ""
