"""What of a run's work could not be kept, as facts for programs and as words for people. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypedDict

from .errors import printable
from .measures import size

Saved = Literal["all", "partly", "none"]
"""How much of a run's work is kept."""

MAX_REASON = 200
"""How much is kept of what a program said of a file that could not be saved."""

_SHOWN = 3
_STATUS = {"all": "True", "partly": "Partly", "none": "False"}


class Unsaved(TypedDict):
    """A file that could not be kept: its path in the worktree, its size in bytes (None: unknown), and why."""

    path: str
    bytes: int | None
    reason: str


def describe(unsaved: Sequence[Unsaved]) -> str:
    """Return one line that names the first few, and says how many more there are."""
    said = []
    for one in unsaved:
        why = [size(one["bytes"]), printable(one["reason"], 500)]
        said.append(f"{printable(one['path'], 120)} ({', '.join(filter(None, why))})")
    more = len(said) - _SHOWN
    return "; ".join(said[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def condition(saved: Saved, unsaved: Sequence[Unsaved], at: str) -> dict[str, str]:
    """Return the condition `WorkSaved`, in the form in which the registry keeps conditions."""
    reason = "Saved" if saved == "all" else "NotSaved"
    return {"type": "WorkSaved", "status": _STATUS[saved], "reason": reason, "message": describe(unsaved), "at": at}
