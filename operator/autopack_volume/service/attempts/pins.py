"""Answers that were given once are given forever: one small file each, written last and never replaced."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from pathlib import Path

from autopack.errors import AutopackError
from autopack.file_layout import AttemptPaths
from autopack.files import TEMPORARY_PREFIX, sync_directory
from autopack.scan import read_small
from autopack_volume.service.answers import Answer, Json

_LIMIT = 1 << 24


def prepared_pin(paths: AttemptPaths) -> str:
    """Return where the answer to an attempt's preparation lies, relative to the volume."""
    return paths.pinned_answer


def committed_pin(paths: AttemptPaths) -> str:
    """Return where the answer to an attempt's commit lies, relative to the volume."""
    return paths.pinned_answer.removesuffix(".json") + ".commit.json"


def read(root: Path, pin: str) -> tuple[Json, Answer] | None:
    """Return the request and the answer that are pinned; None when there is none."""
    raw = read_small(root / pin, _LIMIT)
    if raw is None:
        return None
    try:
        document = json.loads(raw)
        return dict(document["request"]), Answer(int(document["status"]), dict(document["answer"]))
    except (ValueError, KeyError, TypeError) as error:
        raise AutopackError("PinCorrupt", f"{pin} on the volume is not readable", "Restore or remove it") from error


def write(root: Path, pin: str, request: Json, answer: Answer) -> tuple[Json, Answer]:
    """Pin an answer unless there is one already; return what is pinned, which may be another's."""
    path = root / pin
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"request": request, "status": answer.status, "answer": answer.body}
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
    pinned = read(root, pin)
    if pinned is None:
        raise AutopackError("PinCorrupt", f"{pin} on the volume vanished", "Check what else writes to the volume")
    return pinned
