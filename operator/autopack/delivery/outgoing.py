"""A run's commits on their way out: looked at, and made one where that is wished. Blocking.

The repository that they are in is only read.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from autopack.errors import AutopackError, printable
from autopack.git.bare import make_bare
from autopack.git.ref_list import commit_of
from autopack.git.runner import GitError, git_environment, kill_git, run_git, start_git

from .added_lines import MARK, added_lines
from .policy import Changes
from .refusal import Refused
from .secrets import find_secret

_PATCH = (
    # Attributes could call a file binary, and its lines would not be looked at.
    *("-c", "core.quotePath=true", "-c", "log.showRoot=true", "-c", "diff.renameLimit=1000"),
    *("log", f"--format={MARK.decode()}%H", "--no-show-signature", "--patch", "-m", "--text", "--unified=0"),
    *("--no-ext-diff", "--no-textconv", "--no-color", "--submodule=short", "--find-renames"),
    *("--src-prefix=a/", "--dst-prefix=b/"),
)
_MAX_FINDINGS = 5
_COMPLAINT = 4096


class Outgoing:
    """What leads from `base` to `commit`, in an object folder. `scratch` is a folder to be thrown away."""

    def __init__(self, objects: Path, scratch: Path, base: str, commit: str, seconds: float) -> None:
        self._base, self._commit, self._seconds = base, commit, seconds
        self.repository = scratch / "outgoing.git"
        """A repository with everything in it. It has no attributes and no settings of theirs."""
        make_bare(self.repository, "")
        quoted = '"' + str(objects.resolve()).replace("\\", "\\\\").replace('"', '\\"') + '"'
        (self.repository / "objects" / "info" / "alternates").write_text(f"{quoted}\n", "utf-8", "surrogateescape")

    def check(self) -> None:
        """Raise AutopackError CommitMissing unless both commits are there, and Refused where they are the same."""
        for name, sha in (("base", self._base), ("commit", self._commit)):
            if commit_of(sha, git_dir=self.repository) != sha:
                raise AutopackError("CommitMissing", f"the repository has no {name} {printable(sha, 64)}")
        if self._git("rev-parse", f"{self._commit}^{{tree}}") == self._git("rev-parse", f"{self._base}^{{tree}}"):
            raise Refused("NothingToDeliver", "the run changed nothing")

    def squashed(self, message: str) -> str:
        """Return one commit for all: author and dates are those of the last, so that it is the same every time."""
        raw = run_git(["cat-file", "commit", self._commit], git_dir=self.repository).stdout
        lines = raw.partition(b"\n\n")[0].split(b"\n")
        people = [line for line in lines if line.startswith((b"author ", b"committer "))]
        head = [
            b"tree " + self._git("rev-parse", f"{self._commit}^{{tree}}").encode(),
            b"parent " + self._base.encode(),
            *people,
        ]
        text = b"\n".join(head) + b"\n\n" + message.strip().encode() + b"\n"
        return run_git(["hash-object", "-t", "commit", "-w", "--stdin"], git_dir=self.repository, input=text).text

    def changes(self, tip: str) -> Changes:
        """Return which paths `tip` changes, and how large all files are that come with it."""
        names = ["diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", self._base, tip, "--"]
        listed = run_git(names, git_dir=self.repository, timeout=self._seconds).stdout
        paths = tuple(os.fsdecode(name) for name in listed.split(b"\0") if name)
        ids = self._git("rev-list", "--objects", "--no-object-names", tip, f"^{self._base}")
        asked = ["cat-file", "--batch-check=%(objecttype) %(objectsize)"]
        told = run_git(asked, git_dir=self.repository, input=f"{ids}\n".encode(), timeout=self._seconds).text
        sizes = [int(size) for kind, _, size in (line.partition(" ") for line in told.splitlines()) if kind == "blob"]
        return Changes(paths, sum(sizes))

    def is_own(self, seen: str, tip: str) -> bool:
        """Tell whether a commit at the branch is one that leads from the base to `tip`."""
        if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", seen):
            return False
        return self._is_ancestor(seen, tip) and not self._is_ancestor(seen, self._base)

    def scan(self, tip: str) -> None:
        """Raise Refused where a line that a commit up to `tip` adds looks like a credential."""
        args = [*_PATCH, tip, f"^{self._base}", "--"]
        late = threading.Event()
        with tempfile.TemporaryFile() as complaints:
            env = git_environment(None, ())
            process = start_git(args, subprocess.DEVNULL, complaints, git_dir=self.repository, env=env)
            timer = threading.Timer(self._seconds, _give_up, [process, late])
            timer.start()
            try:
                found = _findings(process)
            except ValueError as error:
                if not late.is_set():
                    raise AutopackError("ScanFailed", f"the commits could not be scanned: {error}") from error
                found = []
            finally:
                timer.cancel()
                timer.join()
            complaints.seek(0)
            said = complaints.read(_COMPLAINT)
        if found:
            more = " and others" if len(found) >= _MAX_FINDINGS else ""
            message = f"what looks like a credential would be delivered: {'; '.join(found)}{more}"
            raise Refused("SecretFound", message, "Take it out of all commits, and renew it if it is a real one")
        if late.is_set():
            raise GitError(args, -9, f"no answer in {self._seconds:g} s".encode(), reason="GitTimeout")
        if process.returncode != 0:
            raise GitError(args, process.returncode, said)

    def _is_ancestor(self, first: str, second: str) -> bool:
        ask: Sequence[str] = ["merge-base", "--is-ancestor", first, second]
        return run_git(ask, git_dir=self.repository, check=False).returncode == 0

    def _git(self, *args: str) -> str:
        return run_git(args, git_dir=self.repository, timeout=self._seconds).text


def _findings(process: subprocess.Popen[bytes]) -> list[str]:
    """Return where something looks like a credential: the first few places. The process has ended then."""
    found: list[str] = []
    # Leaving the block closes the pipe, and git ends as it finds nobody who reads.
    with process:
        for line in added_lines(process.stdout.readline) if process.stdout else ():
            if (rule := find_secret(line.text)) is not None:
                found.append(f"{printable(line.path, 200)}:{line.number} ({rule}, {line.commit[:12]})")
                if len(found) >= _MAX_FINDINGS:
                    break
    return found


def _give_up(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    kill_git(process)
