"""Repositories to measure with: the same content every time, in one pack, as after a clone."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

from autopack.git.runner import run_git

IDENTITY = "bench <bench@invalid> 1767657600 +0000"
_PARAGRAPH_WORDS, _PARAGRAPHS = 30, 2000


def make_repository(path: Path, files: int, size: int) -> Path:
    """Make a repository with one commit of `files` files of about `size` bytes each, checked out."""
    path.mkdir()
    git(path, "init", "--quiet", "--initial-branch=main")
    commit(path, tree_of(files, size))
    git(path, "reset", "--hard", "--quiet")
    return path


def tree_of(files: int, size: int, seed: int = 7) -> Iterator[tuple[str, bytes]]:
    """Yield paths with texts that compress like source code, unlike random bytes."""
    dice = random.Random(seed)  # noqa: S311 - the same tree every time
    words = ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz_", k=dice.randint(3, 11))) for _ in range(4000)]
    paragraphs = [" ".join(dice.choices(words, k=_PARAGRAPH_WORDS)) for _ in range(_PARAGRAPHS)]
    count = max(1, size // (len(" ".join(paragraphs)) // _PARAGRAPHS))
    for number in range(files):
        text = "\n".join(dice.choices(paragraphs, k=count)) + f"\n# {number}\n"
        yield f"package{number % 97}/part{number % 13}/module{number}.py", text.encode()


def commit(path: Path, changed: Iterator[tuple[str, bytes]], branch: str = "main") -> None:
    """Add a commit with these files on top of the branch, if it is there; the work tree is left alone."""
    parent = run_git(["rev-parse", "--quiet", "--verify", f"refs/heads/{branch}"], cwd=path, check=False).text
    command = ["git", "fast-import", "--quiet", "--force"]
    with subprocess.Popen(command, cwd=path, stdin=subprocess.PIPE) as importer:
        stream = importer.stdin
        if stream is None:
            raise AssertionError
        stream.write(f"commit refs/heads/{branch}\ncommitter {IDENTITY}\ndata 4\nfile\n".encode())
        if parent:
            stream.write(f"from {parent}\n".encode())
        for name, content in changed:
            stream.write(f"M 100644 inline {name}\ndata {len(content)}\n".encode() + content + b"\n")
        stream.close()
    if importer.returncode != 0:
        raise SystemExit(f"git fast-import failed ({importer.returncode})")


def git(repo: Path, *args: str) -> str:
    """Run git in a repository and return what it says."""
    return run_git(args, cwd=repo).text
