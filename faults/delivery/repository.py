"""A bare repository, as the trials need it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_WHO = "Agent <agent@example.com> 1750000000 +0000"


class Repository:
    """Made when it is not there, with one commit on `main`, the same in every repository."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            self.git("init", "--quiet", "--bare", "--initial-branch=main", str(path), inside=False)
            for key, value in (("http.receivepack", "true"), ("core.logAllRefUpdates", "always"), ("gc.auto", "0")):
                self.git("config", key, value)
            self.commit("refs/heads/main", "README", "", "begin")
        self.main = self.tip("refs/heads/main")

    def git(self, *words: str, text: str = "", inside: bool = True) -> str:
        """Run git; return its output. Raises CalledProcessError."""
        where = ["--git-dir", str(self.path)] if inside else []
        env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
        return subprocess.run(
            ["git", *where, *words], input=text, env=env, capture_output=True, text=True, check=True
        ).stdout.strip()

    def commit(self, ref: str, file: str, parent: str, content: str) -> str:
        """Make a commit with one more file, and point the ref at it."""
        begin = f"from {parent}\n" if parent else ""
        data = f"data {len(content)}\n{content}\n"
        self.git(
            "fast-import",
            "--quiet",
            "--force",
            text=f"commit {ref}\nauthor {_WHO}\ncommitter {_WHO}\n{data}{begin}M 100644 inline {file}\n{data}\ndone\n",
        )
        return self.tip(ref)

    def tip(self, ref: str) -> str:
        """Return the commit of a ref; empty when there is none."""
        return self.git("for-each-ref", "--format=%(objectname)", ref)

    def tree(self, commit: str) -> str:
        """Return the name of a commit's files as a whole; empty when the commit is not here."""
        try:
            return self.git("rev-parse", "--quiet", "--verify", f"{commit}^{{tree}}")
        except subprocess.CalledProcessError:
            return ""

    def heads(self) -> dict[str, str]:
        """Return the branches and their commits."""
        lines = self.git("for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads/").splitlines()
        return dict(line.rsplit(" ", 1) for line in lines)

    def moves(self, branch: str) -> list[tuple[str, str]]:
        """Return the updates of a branch, oldest first: before and after."""
        log = self.path / "logs" / "refs" / "heads" / branch
        words = [line.split(" ", 2) for line in log.read_text().splitlines()] if log.exists() else []
        return [(before, after) for before, after, _ in words]
