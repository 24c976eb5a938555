"""A place for objects that git makes only to answer a question, so that none of them stays in the repository."""

from __future__ import annotations

from pathlib import Path


def scratch_objects(common: Path, folder: Path) -> dict[str, str]:
    """Return the environment in which git reads a repository's objects and writes new ones to `folder`."""
    # The list is separated by colons; a quoted entry may contain them.
    quoted = str(common / "objects").replace("\\", "\\\\").replace('"', '\\"')
    return {"GIT_OBJECT_DIRECTORY": str(folder), "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{quoted}"'}
