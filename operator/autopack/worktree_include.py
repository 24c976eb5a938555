"""Files that git ignores but a run needs, such as .env: copied from the source repository into a fresh worktree.

The file `.worktreeinclude` at the top of the source's tree names them, in the syntax of .gitignore. Only files that
git ignores are copied: what it tracks is in the worktree already, and what it would track is not ours to spread.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from .errors import WorkspaceError, printable
from .git.runner import run_git

INCLUDE_FILE = ".worktreeinclude"


def copy_included(source: Path, tree: Path, outside: Iterable[Path] = ()) -> list[str]:
    """Copy the files that `.worktreeinclude` names from the work tree `source` into `tree`; return their paths.

    Files that `tree` has already stay as they are; folders in `outside` (such as those of other runs) are not looked
    into. Symlinks are copied as symlinks if they stay inside the tree, else left out. Raises WorkspaceError
    IncludeFailed when a file cannot be copied.
    """
    if not (source / INCLUDE_FILE).is_file():
        return []
    left_out = [folder.resolve() for folder in outside]
    copied = []
    for name in _ignored(source, _named(source)):
        path = source / name
        if any(path.parent.resolve().is_relative_to(folder) for folder in left_out):
            continue
        try:
            if _copy(path, tree, name):
                copied.append(name)
        except OSError as error:
            message = f"{printable(name, 200)} of {INCLUDE_FILE} cannot be copied: {error.strerror or error}"
            raise WorkspaceError("IncludeFailed", message, f"Correct {INCLUDE_FILE}, or the file's rights") from error
    return copied


def _named(source: Path) -> bytes:
    """List the untracked files that the patterns match, each ended by NUL."""
    patterns = f"--exclude-from={INCLUDE_FILE}"
    return run_git(["ls-files", "-z", "--others", "--ignored", patterns], cwd=source).stdout


def _ignored(source: Path, names: bytes) -> list[str]:
    """Keep those of the files that git ignores."""
    if not names:
        return []
    checked = run_git(["check-ignore", "-z", "--stdin"], cwd=source, input=names, check=False).stdout
    return [os.fsdecode(name) for name in checked.split(b"\0") if name]


def _copy(path: Path, tree: Path, name: str) -> bool:
    target = tree / name
    if os.path.lexists(target) or not _stays_inside(target.parent, tree):
        return False
    if path.is_symlink():
        link = path.readlink()
        if link.is_absolute() or not _stays_inside(target.parent / link, tree):
            return False
    elif not path.is_file():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        shutil.copy2(path, target, follow_symlinks=False)
    return True


def _stays_inside(path: Path, tree: Path) -> bool:
    """Tell whether a path leads to a place in the tree; a tracked symlink on the way could lead elsewhere."""
    return path.resolve().is_relative_to(tree.resolve())
