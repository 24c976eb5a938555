"""Repairs a mirror in place: running pods have it mounted, so it is never replaced as a whole."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from pathlib import Path

from autopack.files import TEMPORARY_PREFIX
from autopack.git.runner import run_git

_LOOSE_REF = re.compile(rb"([0-9a-f]{40}|ref: \S+)\s*")
# The index comes last: with it, the pack counts.
_ORDER = {".pack": 0, ".rev": 1, ".idx": 2}


def graft(whole: Path, damaged: Path) -> None:
    """Give a damaged repository the objects and settings of a whole one; refs that cannot be read are dropped.

    Good objects that only the damaged one has stay: commits of runs whose branches are gone from the other side.
    """
    for name in ("config", "HEAD"):
        _place(whole / name, damaged / name)
    for folder in ("objects/pack", "objects/info", "refs"):
        (damaged / folder).mkdir(parents=True, exist_ok=True)
    for file in sorted((whole / "objects" / "pack").iterdir(), key=lambda path: _ORDER.get(path.suffix, 1)):
        _place(file, damaged / "objects" / "pack" / file.name)
    for file in (whole / "objects").glob("??/*"):
        target = damaged / "objects" / file.parent.name / file.name
        target.parent.mkdir(exist_ok=True)
        _place(file, target)
    _drop_unreadable_refs(damaged)


def _place(source: Path, target: Path) -> None:
    """Put a copy in place in one step, over what may be there."""
    temporary = target.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(6)}")
    try:
        os.link(source, temporary)
    except OSError:
        shutil.copy2(source, temporary)
    temporary.replace(target)


def _drop_unreadable_refs(repo: Path) -> None:
    for folder, _, names in os.walk(repo / "refs"):
        for name in names:
            path = Path(folder, name)
            if not _LOOSE_REF.fullmatch(path.read_bytes()):
                path.unlink()
    if run_git(["for-each-ref", "--count=1"], git_dir=repo, check=False).returncode != 0:
        (repo / "packed-refs").unlink(missing_ok=True)
