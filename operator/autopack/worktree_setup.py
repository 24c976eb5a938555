"""Commands run in a fresh worktree before the run begins, such as installing what it depends on."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from .errors import WorkspaceError, printable
from .git.runner import SKIP_LFS

_SHOWN_BYTES = 2000
_THEIRS = ("GIT_AUTHOR_", "GIT_COMMITTER_", SKIP_LFS)
"""What a user says of commits and of checkouts, and not of one repository."""

Watch = Callable[["subprocess.Popen[bytes]"], contextlib.AbstractContextManager[None]]
"""Entered while a command runs; whoever provides it may end the process group that the command leads."""


def run_setup(
    commands: Sequence[Sequence[str]],
    tree: Path,
    env: Mapping[str, str],
    timeout: float,
    log: Path | None = None,
    *,
    watch: Watch | None = None,
    pass_fds: Collection[int] = (),
) -> None:
    """Run the commands in `tree`, one after the other, with `env` on top of our environment.

    Each is an argument list, never given to a shell, and may take `timeout` seconds; at their end it is killed with
    all it started. What they print goes to the end of the file `log`. They inherit `pass_fds`, so that locks on those
    outlive us. Raises WorkspaceError SetupFailed with the end of the output when one fails; the rest is not run.
    """
    for command in commands:
        with contextlib.ExitStack() as stack:
            # A file and not a pipe: output has no bound, and a child left behind must not block us.
            sink = tempfile.TemporaryFile() if log is None else log.open("a+b")  # noqa: SIM115 - the stack closes it
            output = stack.enter_context(sink)
            process = _start(
                command, tree, {**worktree_environment(os.environ, tree.parent), **env}, output.fileno(), pass_fds
            )
            problem = process if isinstance(process, str) else _finish(process, timeout, watch)
            if problem:
                end = output.seek(0, os.SEEK_END)
                output.seek(max(0, end - _SHOWN_BYTES))
                said = printable(output.read().decode("utf-8", "replace").strip(), 300)
                shown = printable(" ".join(command), 120)
                message = f"the setup command '{shown}' {problem}: {said}"
                raise WorkspaceError("SetupFailed", message, "Correct the command; the worktree has been removed")


def worktree_environment(base: Mapping[str, str], *above: Path) -> dict[str, str]:
    """Return the environment of a program that works in a worktree: `base`, of git's variables only a few.

    Git looks for a repository no further up than the folders `above`: in a tree that lost its `.git` it must not find
    the repository around the folder of runs.
    """
    kept = {name: value for name, value in base.items() if not name.startswith("GIT_") or name.startswith(_THEIRS)}
    return kept | {"GIT_CEILING_DIRECTORIES": os.pathsep.join(map(str, above))}


def _start(
    command: Sequence[str], tree: Path, env: Mapping[str, str], output: int, pass_fds: Collection[int]
) -> subprocess.Popen[bytes] | str:
    try:
        return subprocess.Popen(
            command,
            cwd=tree,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=tuple(pass_fds),
            start_new_session=True,
        )
    except OSError as error:
        return f"cannot be started ({error.strerror})"


def _finish(process: subprocess.Popen[bytes], timeout: float, watch: Watch | None) -> str:
    try:
        with contextlib.nullcontext() if watch is None else watch(process):
            code = process.wait(timeout)
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            return f"took more than {timeout:g} s"
        raise
    return "" if code == 0 else f"failed with exit code {code}"
