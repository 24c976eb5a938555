"""What goes into the project's image, and a key that changes when any of it does."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Iterable
from pathlib import Path

from devcluster.commands import output_of


def copied_paths(dockerfile: str) -> list[str]:
    """Return the paths of the build context that a Dockerfile's COPY and ADD lines take, sorted.

    Copies from another stage (`--from=`) are not of the context.
    """
    joined = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", dockerfile, flags=re.MULTILINE))
    taken: set[str] = set()
    for line in joined.splitlines():
        words = shlex.split(line) if re.match(r"\s*(COPY|ADD)\s", line, re.IGNORECASE) else []
        flags = [word for word in words[1:] if word.startswith("--")]
        if not words or any(flag.startswith("--from=") for flag in flags):
            continue
        paths = [word for word in words[1:] if not word.startswith("--")]
        taken.update(os.path.normpath(path.lstrip("/")) for path in paths[:-1])
    return sorted(taken)


def context_files(checkout: Path, dockerfile: str) -> list[Path]:
    """Return the files of the checkout that the image may hold: those Git knows or would add, sorted.

    May name more than `.dockerignore` lets through; that costs a needless build and never misses one.
    """
    patterns = [f":(glob){path}" if any(sign in path for sign in "*?[") else path for path in copied_paths(dockerfile)]
    listing = output_of(
        ["git", "-C", str(checkout), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
    )
    return sorted({checkout / name for name in listing.split("\0") if name})


def content_key(checkout: Path, files: Iterable[Path], *more: str) -> str:
    """Return the hash over names, modes and contents of `files`, and over `more`. Absent files count as absent."""
    digest = hashlib.sha256(repr(more).encode())
    for path in files:
        digest.update(f"\0{path.relative_to(checkout)}\0".encode())
        if path.is_symlink():
            digest.update(b"link" + os.fsencode(path.readlink()))
        elif path.is_file():
            digest.update(b"x" if os.access(path, os.X_OK) else b"-")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:32]
