"""Builders of real repositories for the tests of workspaces."""

from __future__ import annotations

import shlex
from pathlib import Path

from autopack.git.runner import run_git

_IDENTITY = {
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@invalid",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@invalid",
    "GIT_AUTHOR_DATE": "2026-01-06T00:00:00Z",
    "GIT_COMMITTER_DATE": "2026-01-06T00:00:00Z",
}


def git(where: Path, *args: str, check: bool = True) -> str:
    """Run git as a person would in `where`, and return what it said."""
    return run_git(args, cwd=where, env=_IDENTITY, protocols=("file",), check=check).text


def make_repo(path: Path, files: dict[str, str] | None = None) -> Path:
    """Make a repository with branch main and one commit."""
    path.mkdir(parents=True)
    git(path, "init", "-q", "-b", "main")
    git(path, "config", "user.name", "Test")
    git(path, "config", "user.email", "test@invalid")
    commit(path, files or {"README.md": "hello\n", "src/a.py": "a = 1\n", ".gitignore": "*.log\n.env\n"})
    return path


def commit(tree: Path, files: dict[str, str], message: str = "work") -> str:
    """Write files, commit them and return the commit's id."""
    for name, content in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(content, "utf-8")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", message)
    return head(tree)


def head(tree: Path) -> str:
    """Return the id of the commit checked out."""
    return git(tree, "rev-parse", "HEAD")


def trace_git(home: Path) -> Path:
    """Let every git process whose home is `home` note its start in a file, and return that."""
    log = home / "git-processes"
    home.mkdir(exist_ok=True)
    (home / ".gitconfig").write_text(f"[trace2]\n\tnormalTarget = {log}\n\tnormalBrief = true\n", "utf-8")
    return log


def started(log: Path) -> list[str]:
    """Return the subcommands of git that were started, those that git itself started included, and forget them."""
    lines = log.read_text("utf-8").splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return [_subcommand(shlex.split(line)[2:]) for line in lines if line.startswith("start ")]


def _subcommand(words: list[str]) -> str:
    pairs = zip(words, ["", *words], strict=False)
    return next((word for word, before in pairs if before != "-c" and not word.startswith("-")), "")
