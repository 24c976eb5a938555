"""Answers that were given once are given forever: one small file each, written last and never replaced.

An attempt has two of them, one about its preparation and one about its commit. A file's name and place have only the
UID and the number; the run's id is in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from pathlib import Path
from typing import Any

from autopack.errors import AutopackError
from autopack.file_layout import AttemptPaths
from autopack.files import TEMPORARY_PREFIX, sync_directory
from autopack.scan import read_small
from autopack_volume.contract.messages import CommitRequest, Committed, Failure, PrepareRequest, Ready
from autopack_volume.service.answers import Json, final

_LIMIT = 1 << 24


def prepared(root: Path, paths: AttemptPaths) -> tuple[PrepareRequest, Ready | Failure] | None:
    """Return what was asked when the attempt was prepared, and the answer; None when it never was."""
    return _read(root, paths.pinned_answer)


def committed(root: Path, paths: AttemptPaths) -> Committed | Failure | None:
    """Return the answer to the attempt's commit; None when there is none yet."""
    found: tuple[CommitRequest, Committed | Failure] | None = _read(root, paths.pinned_commit)
    return found and found[1]


def pin_prepared(
    root: Path, paths: AttemptPaths, request: PrepareRequest, answer: Ready | Failure
) -> tuple[PrepareRequest, Ready | Failure]:
    """Pin an answer unless there is one already; return what is pinned, which may be another's."""
    return _pin(root, paths.pinned_answer, request, answer)


def pin_committed(root: Path, paths: AttemptPaths, answer: Committed | Failure) -> Committed | Failure:
    """Pin an answer unless there is one already; return what is pinned, which may be another's."""
    request: CommitRequest = {"runId": paths.run_id}
    pinned: tuple[CommitRequest, Committed | Failure] = _pin(root, paths.pinned_commit, request, answer)
    return pinned[1]


def _read(root: Path, pin: str) -> tuple[Any, Any] | None:
    raw = read_small(root / pin, _LIMIT)
    if raw is None:
        return None
    try:
        document = json.loads(raw)
        return dict(document["request"]), dict(document["answer"])
    except (ValueError, KeyError, TypeError) as error:
        raise AutopackError("PinCorrupt", f"{pin} on the volume is not readable", "Restore or remove it") from error


def _pin(root: Path, pin: str, request: Json, answer: Ready | Committed | Failure) -> tuple[Any, Any]:
    path = root / pin
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"request": request, "status": final(answer).status, "answer": answer}
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(6)}")
    try:
        with temporary.open("xb") as file:
            file.write(json.dumps(document, indent=1, sort_keys=True).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a rename, fails when another came first.
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(path.parent)
    pinned = _read(root, pin)
    if pinned is None:
        raise AutopackError("PinCorrupt", f"{pin} on the volume vanished", "Check what else writes to the volume")
    return pinned
