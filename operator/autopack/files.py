"""Files that a crash at any instruction leaves either as they were or as they should be."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

TEMPORARY_PREFIX = ".tmp-"
"""How the names of half-written files begin; whatever carries it may be removed when nobody is writing."""

_TRIES = 100


def random_hex(size: int) -> str:
    """Return so many random bytes as hex digits.

    As `secrets.token_hex` does, whose module brings five others that every container of a run would pay for.
    """
    return os.urandom(size).hex()


def write_atomic(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replace `path` by `data` in one step that survives a crash and a power loss.

    The file gets exactly the permissions `mode`, whatever the umask. A symlink at `path` is replaced, not followed.
    Raises OSError (no space, no rights); `path` is then untouched and nothing is left beside it.
    """
    temporary = path.parent / f"{TEMPORARY_PREFIX}{path.name[:64]}-{random_hex(6)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_directory(path.parent)


def write_json_atomic(path: Path, obj: object, mode: int = 0o644) -> None:
    """Replace `path` by `obj` as UTF-8 JSON with sorted keys and a final newline, as `write_atomic` does.

    Raises TypeError or ValueError for what JSON cannot say (NaN and infinity included).
    """
    text = json.dumps(obj, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_atomic(path, text.encode() + b"\n", mode)


def names_in(folder: Path) -> list[str]:
    """Return the names in a folder, sorted; none if it is not there.

    `Path.glob` raises FileNotFoundError when another process removes the folder while it looks.
    """
    try:
        return sorted(path.name for path in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def move_into_folder(source: Path, target: Path) -> None:
    """Rename `source` to `target`, whose folder is made if need be and may be removed by others while it is empty.

    Raises OSError, FileNotFoundError when `source` is not there.
    """
    for _ in range(_TRIES):
        try:
            source.rename(target)
        except FileNotFoundError:
            if not os.path.lexists(source):
                raise
            # Not `Path.mkdir(exist_ok=True)`: it raises when what it found is gone before it looks again.
            with contextlib.suppress(FileExistsError):
                target.parent.mkdir()
        else:
            return
    source.rename(target)


def sync_directory(path: Path) -> None:
    """Make the renames and removals done in a folder survive a power loss."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
