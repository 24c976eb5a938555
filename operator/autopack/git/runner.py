"""The one place that starts git: no shell, no prompt, no inherited GIT_* variables, no hooks, no protocol but ours."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from autopack.errors import AutopackError, printable
from autopack.redaction import redact_url

_CONFIG = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    # Collecting garbage beside a committer loses trees for good; Autopack never lets git decide to do it.
    "gc.auto=0",
    "maintenance.auto=false",
    # Volumes belong to another uid than the process; who may call us is decided before git is started.
    "safe.directory=*",
    # Many runs end at once; the default waits for a lock on refs are 0.1 s and 1 s.
    "core.filesRefLockTimeout=10000",
    "core.packedRefsTimeout=60000",
)
SKIP_LFS = "GIT_LFS_SKIP_SMUDGE"
"""The variable by which users keep Git LFS from fetching files at a checkout."""

_OPTIONS = tuple(part for setting in _CONFIG for part in ("-c", setting))


class GitResult(NamedTuple):
    """What git answered; stdout and stderr are bytes as they came."""

    returncode: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """Standard output as text without its final newline; bytes that are not UTF-8 survive a round trip."""
        return os.fsdecode(self.stdout).rstrip("\n")


class GitError(AutopackError):
    """Git failed. `argv` is the command without our fixed options; credentials are removed from the message."""

    def __init__(self, args: Sequence[str], returncode: int, stderr: bytes, *, reason: str = "GitFailed") -> None:
        said = " ".join(line.strip() for line in stderr.decode("utf-8", "replace").splitlines() if line.strip())
        command = _subcommand(args)
        super().__init__(reason, printable(redact_url(f"git {command} failed ({returncode}): {said}")))
        self.argv = tuple(args)
        self.returncode = returncode
        self.stderr = stderr

    def __reduce__(self) -> tuple[object, ...]:
        return (_restore, (self.argv, self.returncode, self.stderr, self.reason))


def _subcommand(args: Sequence[str]) -> str:
    """Name the command without the settings before it: `worktree add` of `-c x=y worktree add --lock …`."""
    words = [word for word, before in zip(args, ["", *args], strict=False) if "-c" not in (word, before)]
    return " ".join(word for word in words[:2] if not word.startswith("-"))


def _restore(args: Sequence[str], returncode: int, stderr: bytes, reason: str) -> GitError:
    return GitError(args, returncode, stderr, reason=reason)


def git_environment(env: Mapping[str, str] | None, protocols: Sequence[str]) -> dict[str, str]:
    """Return the environment git gets: ours without what could redirect or prompt, then `env` on top."""
    dropped = ("GIT_", "SSH_ASKPASS")
    kept = {name: value for name, value in os.environ.items() if name == SKIP_LFS or not name.startswith(dropped)}
    kept.pop("LANGUAGE", None)
    return kept | {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": ":".join(protocols),
        "SSH_ASKPASS_REQUIRE": "never",
        "LC_ALL": "C.UTF-8",
        **(env or {}),
    }


def run_git(
    args: Sequence[str],
    *,
    cwd: Path | None = None,
    git_dir: Path | None = None,
    work_tree: Path | None = None,
    env: Mapping[str, str] | None = None,
    input: bytes | None = None,  # noqa: A002 - the name subprocess uses
    timeout: float | None = None,
    check: bool = True,
    protocols: Sequence[str] = ("https", "ssh"),
    pass_fds: Collection[int] = (),
) -> GitResult:
    """Run `git <args>` and wait for it.

    `protocols` lists the transports git may use (`file` for a repository on this machine). `pass_fds` are inherited
    by git and all it starts: a lock taken on such a descriptor stays held until the last of them has ended, even when
    we are killed. `timeout` is in seconds; at its end git and its children are killed.

    Raises GitError on a non-zero exit unless `check` is false, GitError with reason GitTimeout on a timeout, and
    AutopackError GitMissing when there is no git.
    """
    process = start_git(
        args,
        subprocess.DEVNULL if input is None else subprocess.PIPE,
        subprocess.PIPE,
        cwd=cwd,
        git_dir=git_dir,
        work_tree=work_tree,
        env=git_environment(env, protocols),
        pass_fds=pass_fds,
    )
    try:
        stdout, stderr = process.communicate(input, timeout=timeout)
    except BaseException as error:
        kill_git(process)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise GitError(args, -9, f"no answer in {timeout:g} s".encode(), reason="GitTimeout") from None
        raise
    if check and process.returncode != 0:
        raise GitError(args, process.returncode, stderr)
    return GitResult(process.returncode, stdout, stderr)


def start_git(
    args: Sequence[str],
    stdin: int,
    stderr: int | IO[bytes],
    *,
    cwd: Path | None = None,
    git_dir: Path | None = None,
    work_tree: Path | None = None,
    env: Mapping[str, str],
    pass_fds: Collection[int] = (),
) -> subprocess.Popen[bytes]:
    """Start `git <args>` with its output on a pipe; `env` is from `git_environment`. The caller waits for it.

    Raises AutopackError GitMissing or FolderMissing.
    """
    argv = ["git", *_OPTIONS]
    if git_dir is not None:
        argv.append(f"--git-dir={git_dir}")
    if work_tree is not None:
        argv.append(f"--work-tree={work_tree}")
    try:
        return subprocess.Popen(
            [*argv, *args],
            cwd=cwd,
            env=env,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            pass_fds=tuple(pass_fds),
            # A session of its own: Ctrl-C reaches us and not git in mid-write, and a timeout can end all it started.
            start_new_session=True,
        )
    except FileNotFoundError as error:
        if cwd is not None and not cwd.is_dir():
            raise AutopackError("FolderMissing", f"the folder {printable(str(cwd))} does not exist") from error
        raise AutopackError("GitMissing", "the program 'git' was not found", "Install git 2.25 or newer") from error


def kill_git(process: subprocess.Popen[bytes]) -> None:
    """End git and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
