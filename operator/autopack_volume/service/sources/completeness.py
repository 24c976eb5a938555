"""Refuses commits of which a run's worktree would lack a part, as long as no mirror holds what is missing."""

from __future__ import annotations

from pathlib import Path

from autopack.errors import AutopackError, printable
from autopack.git.contents import held_by

SUBMODULES = "SubmodulesPresent"
LFS = "LfsPresent"
_FIX = "Set source.incomplete to Allow if the runs can do without, or fetch it in their command"


def check_complete(mirror: Path, sha: str) -> None:
    """Raise AutopackError SubmodulesPresent or LfsPresent if a worktree at `sha` would lack files."""
    held = held_by(mirror, sha)
    if held.submodules:
        names = printable(", ".join(held.submodules), 120)
        raise AutopackError(SUBMODULES, f"submodules are not fetched, and their folders would be empty: {names}", _FIX)
    if held.lfs:
        raise AutopackError(LFS, "files in Git LFS are not fetched: in their place would be pointers to them", _FIX)
