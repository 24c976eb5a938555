"""Commands run in a fresh worktree before the run begins, such as installing what it depends on."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from .errors import WorkspaceError, printable

_SHOWN_BYTES = 2000


def run_setup(
    commands: Sequence[Sequence[str]], tree: Path, env: Mapping[str, str], timeout: float, log: Path | None = None
) -> None:
    """Run the commands in `tree`, one after the other, with `env` on top of our environment.

    Each is an argument list, never given to a shell, and may take `timeout` seconds; at their end it is killed with
    all it started. What they print goes to the end of the file `log`. Raises WorkspaceError SetupFailed with the end
    of the output when one fails; the rest is not run.
    """
    for command in commands:
        with contextlib.ExitStack() as stack:
            # A file and not a pipe: output has no bound, and a child left behind must not block us.
            sink = tempfile.TemporaryFile() if log is None else log.open("a+b")  # noqa: SIM115 - the stack closes it
            output = stack.enter_context(sink)
            problem = _run(command, tree, {**os.environ, **env}, timeout, output.fileno())
            if problem:
                end = output.seek(0, os.SEEK_END)
                output.seek(max(0, end - _SHOWN_BYTES))
                said = printable(output.read().decode("utf-8", "replace").strip(), 300)
                shown = printable(" ".join(command), 120)
                message = f"the setup command '{shown}' {problem}: {said}"
                raise WorkspaceError("SetupFailed", message, "Correct the command; the worktree has been removed")


def _run(command: Sequence[str], tree: Path, env: Mapping[str, str], timeout: float, output: int) -> str:
    try:
        process = subprocess.Popen(
            command,
            cwd=tree,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    except OSError as error:
        return f"cannot be started ({error.strerror})"
    try:
        code = process.wait(timeout)
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            return f"took more than {timeout:g} s"
        raise
    return "" if code == 0 else f"failed with exit code {code}"
