"""Puts a run's artifacts into a folder: never outside of it, never half, and only if they are what was committed."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

from autopack.errors import InvalidInput, printable
from autopack.files import TEMPORARY_PREFIX
from autopack_cli.cluster.problems import ClusterProblem
from autopack_cli.cluster.volume import Attempt
from autopack_volume.client.client import CHUNK, VolumeClient


def place_of(folder: Path, path: str) -> Path:
    """Return where an artifact goes; raise InvalidInput for a path that leads out of the folder."""
    parts = path.split("/")
    if "\0" in path or any(part in {"", ".", ".."} for part in parts):
        raise InvalidInput("path", f"'{printable(path, 120)}' is not an artifact's path", "`artifacts ls` lists them")
    return folder.joinpath(*parts)


async def download(volume: VolumeClient, attempt: Attempt, path: str, digest: str | None, target: Path) -> int:
    """Fetch one artifact to `target`; return its size in bytes. `digest` is its sha256, None while it may change.

    Raises ClusterProblem when what arrived is not what was committed; `target` is then as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / f"{TEMPORARY_PREFIX}{secrets.token_hex(6)}"
    seen, size = hashlib.sha256(), 0
    try:
        with temporary.open("xb") as file:
            async with volume.artifact(*attempt.key, path) as response:
                async for chunk in response.content.iter_chunked(CHUNK):
                    seen.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
        if digest is not None and seen.hexdigest() != digest:
            message = f"'{printable(path, 120)}' arrived damaged: its sha256 is not the manifest's"
            raise ClusterProblem(f"{message}. Try again")
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return size


def check_folders(folder: Path, target: Path) -> None:
    """Refuse a symlink on the way from `folder` to `target`: an earlier download may be no friend of this one."""
    for parent in target.relative_to(folder).parents:
        if (folder / parent).is_symlink() and parent != Path():
            raise InvalidInput("to", f"{printable(str(folder / parent), 200)} is a symlink", "Choose an empty folder")
