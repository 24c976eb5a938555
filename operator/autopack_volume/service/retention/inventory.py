"""Looks up what is on a volume: repositories, attempts that have ended, and bytes by kind."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from autopack.errors import AutopackError
from autopack.file_layout import KEPT, AttemptPaths, mirror, results
from autopack.files import names_in
from autopack.git.bundles import list_heads
from autopack.git.ref_list import list_refs
from autopack.kept_files import files_of
from autopack_volume.service.attempts.records import find
from autopack_volume.service.attempts.unfinished import unfinished
from autopack_volume.service.results.importing import attempt_refs

from .policy import Attempt, Repository

KINDS = ("mirrors", "results", "kept", "artifacts", "workspaces", "trash")
"""What bytes are told apart by."""

_COMMIT = re.compile(r"a([1-9][0-9]*)\.commit\.json")
_BLOCK = 512


def repositories(root: Path) -> list[Repository]:
    """Return the repositories that have a mirror."""
    at_work = {find(root, one["uid"], one["attempt"]).ready["repoKey"] for one in unfinished(root)}
    found = []
    for key in names_in(root / ".repos"):
        place = root / mirror(key)
        with contextlib.suppress(OSError):
            stands_on_it = (root / results(key)).exists() and bool(list_refs(root / results(key), "refs/runs/"))
            # What is fetched or looked up is written to one of these.
            used_at = max((place / name).stat().st_mtime for name in ("refs", "objects", "HEAD", "objects/pack"))
            needed = stands_on_it or key in at_work
            found.append(Repository(key, size_of(place), used_at, can_be_fetched=key.startswith("u-"), needed=needed))
    return found


def attempts(root: Path) -> list[Attempt]:
    """Return the attempts whose commit was answered for good, those that failed as well."""
    busy = {one["uid"] for one in unfinished(root)}
    return [one for uid in names_in(root / ".attempts") for one in _attempts_of(root, uid, run_at_work=uid in busy)]


def _attempts_of(root: Path, uid: str, *, run_at_work: bool) -> Iterator[Attempt]:
    for name in names_in(root / ".attempts" / uid):
        number = _COMMIT.fullmatch(name)
        if number is None:
            continue
        with contextlib.suppress(AutopackError, OSError, KeyError):
            record = find(root, uid, int(number[1]))
            paths, key = record.paths, record.ready["repoKey"]
            bundle = files_of(root / paths.artifacts, root / paths.kept).bundle
            size = bundle.stat().st_size if bundle.is_file() else None
            yield Attempt(
                uid=uid,
                attempt=paths.attempt,
                run_id=paths.run_id,
                key=key,
                ended_at=(root / ".attempts" / uid / name).stat().st_mtime,
                bundle=size,
                imported=size is not None and _is_imported(root / results(key), paths, bundle),
                run_at_work=run_at_work,
            )


def _is_imported(repo: Path, paths: AttemptPaths, bundle: Path) -> bool:
    """Tell whether refs of the attempt keep everything that the bundle holds."""
    kept = {ref.sha for ref in list_refs(repo, f"{attempt_refs(paths)}/")}
    return set(list_heads(bundle).values()) <= kept


def bytes_by_kind(root: Path) -> dict[str, int]:
    """Return how many bytes of the disk each kind takes up; files with several names count once a kind."""
    ours = {".repos", ".attempts", ".trash", KEPT, "workspaces", "lost+found"}
    places: dict[str, list[Path]] = {
        "mirrors": [root / mirror(key) for key in names_in(root / ".repos")],
        "results": [root / results(key) for key in names_in(root / ".repos")],
        "kept": [root / KEPT, root / ".attempts"],
        "artifacts": [root / name for name in names_in(root) if name not in ours],
        "workspaces": [root / "workspaces"],
        "trash": [root / ".trash"],
    }
    return {kind: sum(map(size_of, places[kind])) for kind in KINDS}


def size_of(folder: Path) -> int:
    """Return the bytes of the disk that a folder takes up; no symlink is followed, what vanishes counts nothing."""
    seen: set[tuple[int, int]] = set()
    return sum(_blocks(folder, seen))


def _blocks(folder: Path, seen: set[tuple[int, int]]) -> Iterator[int]:
    left: list[str | Path] = [folder]
    while left:
        with contextlib.suppress(OSError), os.scandir(left.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(status.st_mode):
                        left.append(entry.path)
                    if (status.st_dev, status.st_ino) not in seen:
                        yield status.st_blocks * _BLOCK
                    if status.st_nlink > 1:
                        seen.add((status.st_dev, status.st_ino))
