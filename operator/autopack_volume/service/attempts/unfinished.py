"""The attempts that were prepared and never imported, for an operator that looks for work nobody asks for any more."""

from __future__ import annotations

import os
import re
from pathlib import Path

from autopack.errors import AutopackError
from autopack.log import log
from autopack_volume.contract.messages import UnfinishedAttempt

from .records import find

_PIN = re.compile(r"a([1-9][0-9]*)\.json")


def unfinished(root: Path) -> list[UnfinishedAttempt]:
    """List them as {uid, runId, attempt}; one whose pin cannot be read is left out. Raises OSError."""
    found: list[UnfinishedAttempt] = []
    try:
        folders = sorted(os.scandir(root / ".attempts"), key=lambda entry: entry.name)
    except FileNotFoundError:
        return found
    for folder in folders:
        names = {entry.name for entry in os.scandir(folder.path)}
        for name in sorted(names):
            number = _PIN.fullmatch(name)
            if number is None or f"a{number[1]}.commit.json" in names:
                continue
            run = _run_of(root, folder.name, int(number[1]))
            if run is not None:
                found.append({"uid": folder.name, "runId": run, "attempt": int(number[1])})
    return found


def _run_of(root: Path, uid: str, attempt: int) -> str | None:
    try:
        record = find(root, uid, attempt)
    except (AutopackError, KeyError) as error:
        log("warning", "an attempt's pin cannot be read", uid=uid, attempt=attempt, error=str(error))
        return None
    return record.paths.run_id if record.state == "live" else None
