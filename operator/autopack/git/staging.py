"""Brings an index of ours to what is on disk; whatever git cannot take of it is left out and named."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from autopack.errors import printable
from autopack.unsaved import MAX_REASON, Unsaved

from .index import Listed, OwnIndex
from .readable import made_readable
from .runner import GitError, run_git

LARGEST = 2 << 30
"""The size in bytes of the largest file that is saved: git reads and packs each whole, holes of sparse files too."""

_TAKE = ("--add", "--remove", "--replace")
_MAX_NESTING = 8
_MAX_SPLITS = 64
"""So many files that git refuses are looked for one by one; of what is left the bytes are saved as they are."""


def stage(index: OwnIndex, depth: int = 0) -> list[Unsaved]:
    """Bring our index to what is on disk; return what could not be staged."""
    listed = index.listed()
    large = [path for path in listed.changed if _size(index.root, path) > LARGEST]
    nested = [*listed.folders, *(path for path, sha in listed.links.items() if _is_changed_submodule(index, path, sha))]
    left_out = [_unsaved(index.root, path, f"larger than {LARGEST >> 30} GiB") for path in large]
    apart = [*nested, *large]
    if not listed.whole or not (_add_listed(index, listed, apart) or _add_all(index, apart)):
        with made_readable(index.root):
            left_out += _in_parts(index, large)
    if not listed.fresh:
        left_out += _stage_ignored(index)
    if depth < _MAX_NESTING:
        for path in nested:
            left_out += _stage_nested(index, path, depth)
    return left_out


def _unsaved(root: Path, path: bytes, reason: str) -> Unsaved:
    """Describe what lies at `path` below `root`; `reason` may be whatever a program printed."""
    try:
        size = os.lstat(os.path.join(os.fsencode(root), path)).st_size  # noqa: PTH118 - names need not be text
    except OSError:
        size = None
    said = printable(" ".join(reason.split()), MAX_REASON)
    return Unsaved(path=printable(os.fsdecode(path), 500), bytes=size, reason=said)


def _size(root: Path, path: bytes) -> int:
    try:
        status = os.lstat(os.path.join(os.fsencode(root), path))  # noqa: PTH118 - names need not be text
    except OSError:
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def _add_listed(index: OwnIndex, listed: Listed, apart: Sequence[bytes]) -> bool:
    """Add what was listed without looking through the tree again, where the list has it all; say whether that is done.

    An index that is kept for the next time is better written again: git then need not read touched files each time.
    """
    if apart or listed.links or not listed.fresh:
        return False
    return not listed.changed or index.update(*_TAKE, paths=listed.changed, check=False).returncode == 0


def _add_all(index: OwnIndex, apart: Sequence[bytes]) -> bool:
    excluded = [b":(exclude,top,literal)" + path for path in apart]
    pathspecs = b"\0".join([b":(top)", *excluded])
    add = ("add", "--all", "--ignore-errors", "--pathspec-from-file=-", "--pathspec-file-nul")
    # A file that vanished while git was reading is the common cause; the second pass no longer sees it.
    return any(index.git(*add, input=pathspecs, check=False).returncode == 0 for _ in range(2))


def _in_parts(index: OwnIndex, large: Sequence[bytes]) -> list[Unsaved]:
    listed = _without_what_is_gone(index, index.listed())
    left_out = [] if listed.whole else [Unsaved(path=".", bytes=None, reason="a folder in it cannot be read")]
    apart = frozenset(large)
    parts = [[path for path in listed.changed if path not in apart]]
    splits = 0
    while parts:
        part = parts.pop()
        if not part or index.update(*_TAKE, paths=part, check=False).returncode == 0:
            continue
        if len(part) > 1 and splits < _MAX_SPLITS:
            splits += 1
            middle = len(part) // 2
            parts += [part[middle:], part[:middle]]
        else:
            left_out += [missed for path in part if (missed := _as_it_is(index, path)) is not None]
    return left_out


def _without_what_is_gone(index: OwnIndex, listed: Listed) -> Listed:
    """Take out of our index what lay in folders that links or files have the place of: git refuses to look for it."""
    beyond = [path for path in listed.changed if _is_beyond(index.root, path)]
    if not beyond:
        return listed
    index.update("--force-remove", paths=beyond)
    return index.listed()


def _is_beyond(root: Path, path: bytes) -> bool:
    """Tell whether something that is no folder stands where a folder above the path was: the path is gone."""
    above = [root / os.fsdecode(path)]
    while above[-1].parent != root:
        above.append(above[-1].parent)
    return any(folder.is_symlink() or (os.path.lexists(folder) and not folder.is_dir()) for folder in above[:0:-1])


def _as_it_is(index: OwnIndex, path: bytes) -> Unsaved | None:
    """Stage the bytes of a file without what attributes say of them: no filter, no encoding, no line ends."""
    try:
        mode = os.lstat(os.path.join(os.fsencode(index.root), path)).st_mode  # noqa: PTH118 - names need not be text
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(mode):
        return _unsaved(index.root, path, "neither a file nor a link that git can keep")
    made = index.git("hash-object", "-w", "--no-filters", "--", f"./{os.fsdecode(path)}", check=False)
    if made.returncode != 0:
        return _unsaved(index.root, path, made.stderr.decode("utf-8", "replace"))
    kind = b"100755" if mode & stat.S_IXUSR else b"100644"
    index.enter([kind + b" " + made.stdout.strip() + b"\t" + path])
    return None


def _stage_ignored(index: OwnIndex) -> list[Unsaved]:
    """Add the files that are tracked although a .gitignore names them; only the worktree's own index knows all."""
    own = index.git_on_theirs("ls-files", "-z", "--cached", "--ignored", "--exclude-standard")
    root = os.fsencode(index.root)
    paths = [path for path in own.stdout.split(b"\0") if path and os.path.lexists(root + b"/" + path)]
    if not paths or index.update("--add", "--replace", paths=paths, check=False).returncode == 0:
        return []
    return [missed for path in paths if (missed := _as_it_is(index, path)) is not None]


def _is_changed_submodule(index: OwnIndex, path: bytes, recorded: str) -> bool:
    folder = index.root / os.fsdecode(path)
    if not (folder / ".git").exists():
        return False
    if run_git(["rev-parse", "HEAD"], cwd=folder, check=False).text != recorded:
        return True
    status = run_git(["status", "--porcelain", "--untracked-files=all"], cwd=folder, check=False)
    return status.returncode != 0 or bool(status.stdout)


def _stage_nested(index: OwnIndex, path: bytes, depth: int) -> list[Unsaved]:
    """Put the files of a repository inside the tree into our index, as if it were a plain folder."""
    name = os.fsdecode(path)
    git_dir = index.git_dir or Path(index.git_on_theirs("rev-parse", "--absolute-git-dir").text)
    inner = OwnIndex(index.root / name, git_dir, index.index_file.with_name(f"{index.index_file.name}.in"))
    inner.index_file.unlink(missing_ok=True)
    try:
        inner.git("read-tree", "--empty")
        left_out = stage(inner, depth + 1)
        saved = inner.git("write-tree").text
        index.git("rm", "--cached", "-r", "-f", "-q", "--ignore-unmatch", "--", f":(top,literal){name}")
        index.git("read-tree", f"--prefix={name}/", saved)
    except (GitError, OSError) as error:
        return [_unsaved(index.root, path, str(error))]
    finally:
        inner.index_file.unlink(missing_ok=True)
    return [{**one, "path": f"{name}/{one['path']}"} for one in left_out]
