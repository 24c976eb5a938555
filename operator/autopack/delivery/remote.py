"""One branch of a git server: what it is at, and a push that moves it only from there. Blocking."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

from autopack.failpoints import hit
from autopack.git.runner import GitError, GitResult, run_git

from .push_answers import rejection

NO_REDIRECTS = ("-c", "http.followRedirects=false", "-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=60")
"""The address was judged; the one that it leads to would not be. A server that says nothing is left after a minute."""
_LOOK_PART = 5
"""A look may take this part of the time that a push may take."""


class Way(Protocol):
    """How git reaches the server: options before the subcommand, environment, and descriptors to inherit."""

    @property
    def options(self) -> Sequence[str]:
        """Options before the subcommand."""
        ...

    @property
    def env(self) -> Mapping[str, str]:
        """What is added to the environment."""
        ...

    @property
    def descriptors(self) -> Collection[int]:
        """What git inherits."""
        ...


class Seen(NamedTuple):
    """What a branch is at (empty: it is not there), and the server's default branch (empty: it does not say)."""

    tip: str
    default: str


class Remote:
    """The repository at `url`. `way` opens the way to it, once for each command."""

    def __init__(
        self, url: str, way: Callable[[], AbstractContextManager[Way]], protocols: Sequence[str], push_seconds: float
    ) -> None:
        self._url, self._way, self._protocols, self._push_seconds = url, way, protocols, push_seconds

    def look(self, branch: str) -> Seen:
        """Ask what a branch is at. Raises GitError."""
        ref = f"refs/heads/{branch}"
        args = ("ls-remote", "--quiet", "--symref", "--", self._url, "HEAD", ref)
        with self._way() as way:
            answer = self._git(way, args, self._push_seconds / _LOOK_PART, None)
        if answer.returncode != 0:
            raise GitError(args, answer.returncode, answer.stderr)
        return seen_in(answer.text, ref)

    def push(self, repository: Path, commit: str, branch: str, lease: str) -> None:
        """Push a commit of a repository to a branch that is still at `lease`.

        Raises Refused, Moved or Passing where the server says no, GitError where it was not reached.
        """
        ref = f"refs/heads/{branch}"
        args = (
            *("push", "--quiet", "--porcelain", "--no-verify", "--no-signed", "--no-follow-tags"),
            *("--recurse-submodules=no", f"--force-with-lease={ref}:{lease}", "--", self._url, f"{commit}:{ref}"),
        )
        with self._way() as way:
            hit("delivery.before_push")
            answer = self._git(way, args, self._push_seconds, repository)
            hit("delivery.after_push")
        if answer.returncode != 0:
            raise rejection(answer) or GitError(args, answer.returncode, answer.stderr)

    def _git(self, way: Way, args: Sequence[str], timeout: float, repository: Path | None) -> GitResult:
        return run_git(
            [*way.options, *NO_REDIRECTS, *args],
            git_dir=repository,
            env=way.env,
            pass_fds=way.descriptors,
            timeout=timeout,
            protocols=self._protocols,
            check=False,
        )


def seen_in(listed: str, ref: str) -> Seen:
    """Read what `ls-remote --symref` prints. Pure."""
    tip, default = "", ""
    for line in listed.splitlines():
        value, _, name = line.partition("\t")
        if name == ref:
            tip = value
        elif name == "HEAD" and value.startswith("ref: refs/heads/"):
            default = value.removeprefix("ref: refs/heads/")
    return Seen(tip, default)
