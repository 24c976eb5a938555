"""Names for what is pinned: which state in progress, or which staged file, an object belonged to."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from autopack.files import names_in
from autopack.git.runner import run_git

_PSEUDO_REF = re.compile(r"[A-Z][A-Z_]*")
_IN_FOLDERS = ("rebase-merge/autostash", "rebase-apply/autostash", "rebase-merge/orig-head", "rebase-apply/orig-head")
_ID = re.compile(r"\b([0-9a-f]{64}|[0-9a-f]{40})\b")
_LARGEST = 1 << 16


def states_of(admin: Path | None, own: set[str]) -> dict[str, str]:
    """Return the run's objects that files such as ORIG_HEAD, MERGE_AUTOSTASH and rebase-merge/autostash name."""
    if admin is None:
        return {}
    names = [name for name in names_in(admin) if _PSEUDO_REF.fullmatch(name)]
    found = {}
    for name in (*names, *_IN_FOLDERS):
        with contextlib.suppress(OSError), (admin / name).open("rb") as file:
            match = _ID.search(os.fsdecode(file.read(_LARGEST)))
            if match and match[1] in own:
                found[name] = match[1]
    return found


def staged_in(ours: Path, admin: Path | None, ids: set[str]) -> dict[str, list[str]]:
    """Return which of the blobs `ids` a worktree's index has, by path: one each, several where a merge has stopped."""
    if admin is None or not ids:
        return {}
    env = {"GIT_INDEX_FILE": str(admin / "index")}
    listed = run_git(["ls-files", "-z", "--stage"], git_dir=ours, env=env, check=False).stdout
    found: dict[str, list[str]] = {}
    for entry in listed.split(b"\0"):
        about, _, path = entry.partition(b"\t")
        sha = about.split(b" ")[1].decode() if path else ""
        if sha in ids:
            found.setdefault(os.fsdecode(path), []).append(sha)
    return found
