"""What a run's command is asked to do: a file of the attempt that only this service writes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from autopack.errors import AutopackError, InvalidInput, printable
from autopack.files import write_atomic
from autopack.git.runner import run_git

from . import folders

MAX_BYTES = 256 << 10
_READ_ONLY = 0o444
_FORMAT = "%(objecttype) %(objectname) %(objectsize)"
_BLOB = re.compile(r"blob ([0-9a-f]{40,64}) ([0-9]+)")


@dataclass(frozen=True)
class Prompt:
    """The text itself, or the path of a file in the attempt's commit."""

    text: bytes | None = None
    file: str | None = None


def check_text(text: bytes, what: str = "the prompt") -> bytes:
    """Return the text of a prompt; raise AutopackError PromptInvalid or PromptTooLong."""
    _check_size(len(text), what)
    if not text.strip() or b"\0" in text:
        raise AutopackError("PromptInvalid", f"{what} is empty, or has a NUL character", "Write what is to be done")
    return text


def check_path(path: str) -> str:
    """Return the path of a file in a commit; raise InvalidInput."""
    inside = all(part not in {"", ".", ".."} for part in path.split("/"))
    if not inside or len(path) > 1024 or re.search(r"[\x00-\x1f\x7f]", path):
        raise InvalidInput("promptFile", "is no path inside of the repository", "Write it as docs/task.md")
    return path


def write(folder: Path, prompt: Prompt, mirror: Path, sha: str) -> None:
    """Put the prompt into that folder of an attempt, where its command can only read. May be run again.

    Raises AutopackError PromptNotFound, PromptTooLong or PromptInvalid, GitError and OSError.
    """
    text = prompt.text if prompt.text is not None else _of_commit(mirror, sha, prompt.file or "")
    write_atomic(folders.make(folder.parent, folder.name) / "prompt", text, _READ_ONLY)


def _of_commit(mirror: Path, sha: str, path: str) -> bytes:
    """Return a file of a commit; a symlink stands for what it leads to inside of the commit."""
    what = f"promptFrom.file '{printable(path, 200)}'"
    question = ["cat-file", f"--batch-check={_FORMAT}", "--follow-symlinks"]
    found = _BLOB.fullmatch(run_git(question, git_dir=mirror, input=f"{sha}:{path}\n".encode()).text)
    if found is None:
        message = f"{what} is not a file of commit {sha[:12]}"
        raise AutopackError("PromptNotFound", message, "Commit and push it, or name another")
    _check_size(int(found[2]), what)
    return check_text(run_git(["cat-file", "blob", found[1]], git_dir=mirror).stdout, what)


def _check_size(size: int, what: str) -> None:
    if size > MAX_BYTES:
        message = f"{what} has {size} bytes, and {MAX_BYTES} (256 KiB) are the most"
        raise AutopackError("PromptTooLong", message, "Shorten it, and name files of the repository to read")
