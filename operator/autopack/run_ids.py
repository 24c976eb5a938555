"""Run ids: which are accepted, and the one file name each of them gets."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from .errors import InvalidInput, printable

MAX_LENGTH = 253
"""As long as a Kubernetes object name may be."""

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*", re.ASCII)
_RESERVED = frozenset({"workspaces", "projects"})
_FIX = (
    "Use letters, digits, '.', '_' and '-', beginning with a letter or digit, with '/' between parts: "
    "for example build130-phase-a"
)
# A component must leave room for suffixes such as ".lock" and ".db-wal" in the 255 bytes a file name may have.
_LONGEST_COMPONENT = 180
_HEAD_OF_LONG_COMPONENT = 150


def check_run_id(text: str) -> str:
    """Return `text` if it is a run id, else raise InvalidInput (field `run_id`).

    A run id names folders, lock files and git refs, so it may be none of: empty, longer than 253 characters, a path
    that leads elsewhere (`../x`, `/etc`), a name git refuses (`x.lock`, `a..b`), or one of our own folders.
    """
    if not text:
        raise InvalidInput("run_id", "a run id is empty", _FIX)
    shown = printable(text, 80)
    if len(text) > MAX_LENGTH:
        raise InvalidInput("run_id", f"'{shown}' has {len(text)} characters, more than {MAX_LENGTH}", _FIX)
    for segment in text.split("/"):
        if not _SEGMENT.fullmatch(segment) or ".." in segment or segment.endswith((".", ".lock")):
            raise InvalidInput("run_id", f"'{shown}' is not a run id", _FIX)
    if text.lower() in _RESERVED:
        raise InvalidInput("run_id", f"'{shown}' is the name of a folder Autopack keeps for itself", "Choose another")
    return text


def check_run_ids(texts: Iterable[str]) -> list[str]:
    """Return the run ids in order; raise InvalidInput for the first bad one, and for two that cannot be told apart.

    Ids that differ only in case are refused together: they would share one folder on macOS and Windows.
    """
    seen: dict[str, str] = {}
    for text in texts:
        other = seen.get(check_run_id(text).lower())
        if other is not None:
            how = "is given twice" if other == text else f"differs from '{other}' only in case"
            raise InvalidInput("run_ids", f"'{text}' {how}", "Give every run an id of its own")
        seen[text.lower()] = text
    return list(seen.values())


def path_component(run_id: str) -> str:
    """Return the file name (and git ref component) of a valid run id, at most 183 ASCII characters long.

    Different ids get different names: `a/b` is `a+b` while `a-b` stays itself ('+' is in no run id), and ids of more
    than 180 characters are cut and end with '+' and a digest. Ids without '/' up to that length are their own name.
    """
    flat = check_run_id(run_id).replace("/", "+")
    if len(flat) <= _LONGEST_COMPONENT:
        return flat
    return f"{flat[:_HEAD_OF_LONG_COMPONENT]}+{hashlib.sha256(run_id.encode()).hexdigest()[:32]}"
