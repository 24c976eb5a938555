"""The git dir that a run on this machine has for itself: own branches, stash, config, hooks and object store.

Worktrees of one repository share all of that: one run's `git gc --prune=now` takes what another has just written,
stashes end in the wrong tree, and a setting of one holds for all. So a run gets a bare repository that begins as a
copy of what the source has, reads its objects (alternates), and gives back what the run made when it ends. The source
has an entry for the worktree in its list, so that `git worktree list` shows it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from autopack.failpoints import hit
from autopack.files import names_in

from .bare import make_bare
from .config_text import including, quoted
from .keeping.stores import alternate
from .ref_list import Ref
from .worktree_entries import PLAN, STATE, Note, real, state_dir

_FOLDER = "runs"
_BEGAN = "autopack-began-with"
_TREE = "autopack-tree"
_NEW = ".new"
_BARE = "[core]\n\tbare = true\n"
_OWN_SETTINGS = """
[core]
\tlogAllRefUpdates = true
[gc]
\tauto = 0
[maintenance]
\tauto = false
"""
# What the user and other runs keep for themselves.
_NOT_HANDED_ON = ("refs/stash", "refs/autopack/", "refs/autopack-history/", "refs/worktree/", "refs/bisect/")
# Those that we set; and ours keeps its refs in files, and has no work tree of its own.
_OURS = frozenset(
    {"core.bare", "core.logallrefupdates", "gc.auto", "maintenance.auto", "core.worktree", "extensions.refstorage"}
)
_HEADER = re.compile(r"\s*\[\s*([A-Za-z0-9.-]+)")
_MAX_NAME = 100


def private_dir(common: Path, path: Path) -> Path:
    """Return where the git dir of the run whose worktree is at `path` lies, or would lie."""
    digest = hashlib.sha256(os.fsencode(real(path.absolute()))).hexdigest()[:16]
    return state_dir(common) / _FOLDER / f"{path.name[:_MAX_NAME]}-{digest}.git"


def repository_of(common: Path, path: Path) -> Path:
    """Return the git dir that the worktree at `path` belongs to: the run's own, else the repository's."""
    private = private_dir(common, path)
    return private if private.exists() else common


def make_private(common: Path, path: Path, note: Note, refs: Sequence[Ref]) -> Path:
    """Make the git dir for the worktree at `path`, which must not have one; return it.

    `note` says where the run is to begin, `refs` are the source's. The caller holds the claim on `path`; what a crash
    left half made is made again. Raises GitError or OSError.
    """
    target = private_dir(common, path)
    built = target.with_name(target.name + _NEW)
    shutil.rmtree(built, ignore_errors=True)
    built.parent.mkdir(exist_ok=True)
    make_bare(built, "")
    _configure(common, built)
    _write_refs(built, refs)
    if note.branch is not None:
        _write(built / "refs/heads" / note.branch, note.sha)
    note.write_new(built / PLAN)
    (built / _TREE).write_bytes(os.fsencode(real(path.absolute())))
    (built / "objects/info/alternates").write_bytes(alternate(common / "objects") + b"\n")
    _copy_surroundings(common, built)
    hit("private.before_rename")
    built.rename(target)
    hit("private.after_rename")
    return target


def drop_private(private: Path) -> None:
    """Remove a run's git dir; everything in it has been saved. May be called again after a crash."""
    gone = private.with_name(private.name + _NEW)
    shutil.rmtree(gone, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        private.rename(gone)
    hit("private.before_delete")
    shutil.rmtree(gone, ignore_errors=True)
    with contextlib.suppress(OSError):
        private.parent.rmdir()


def private_trees(common: Path) -> Iterator[Path]:
    """Yield the paths of the worktrees that have, or were to have, a git dir of their own in this repository."""
    folder = common / STATE / _FOLDER
    for name in names_in(folder):
        with contextlib.suppress(OSError):
            yield Path(os.fsdecode((folder / name / _TREE).read_bytes()))


def began_with(private: Path) -> dict[str, str]:
    """Return the refs that the run found when it began, by their full names."""
    try:
        lines = os.fsdecode((private / _BEGAN).read_bytes()).splitlines()
    except OSError:
        return {}
    return {name: sha for sha, _, name in (line.partition(" ") for line in lines if not line.startswith("#"))}


def _configure(common: Path, built: Path) -> None:
    """Hand the source's settings on, but for those that we set: git counts on each being there once."""
    text = "".join(_others(_settings_of(common / "config").splitlines(keepends=True)))
    if (common / "lfs").is_dir():
        text += f"\n[lfs]\n\tstorage = {quoted(common / 'lfs')}\n"
    # Where each worktree may have settings of its own, a common `core.bare` would be one of all worktrees as well.
    apart = re.search(r"^\s*worktreeConfig\s*=", text, re.IGNORECASE | re.MULTILINE) is not None
    (built / "config").write_text(text + _OWN_SETTINGS + ("" if apart else _BARE), "utf-8", "surrogateescape")
    if apart:
        (built / "config.worktree").write_text(_BARE, "utf-8")


def _others(lines: Iterable[str]) -> Iterator[str]:
    section = ""
    for line in lines:
        header = _HEADER.match(line)
        if header:
            section = header[1].lower()
        if f"{section}.{line.partition('=')[0].strip().lower()}" not in _OURS:
            yield line


def _settings_of(config: Path) -> str:
    """Return the text of the source's config; what that includes may be named relative to the file itself."""
    text = config.read_text("utf-8", "surrogateescape")
    return including(config) if re.search(r"^\s*\[include", text, re.IGNORECASE | re.MULTILINE) else text


def _write_refs(built: Path, refs: Sequence[Ref]) -> None:
    """Hand the source's refs on, as packed refs (gitrepository-layout(5)), and note them."""
    handed_on = [ref for ref in refs if not ref.name.startswith(_NOT_HANDED_ON)]
    lines = "".join(f"{ref.sha} {ref.name}\n" for ref in handed_on if not ref.target)
    for name in ("packed-refs", _BEGAN):
        (built / name).write_bytes(b"# pack-refs with: sorted \n" + os.fsencode(lines))
    for ref in handed_on:
        if ref.target:
            _write(built / ref.name, f"ref: {ref.target}")


def _write(ref: Path, text: str) -> None:
    ref.parent.mkdir(parents=True, exist_ok=True)
    ref.write_bytes(os.fsencode(f"{text}\n"))


def _copy_surroundings(common: Path, built: Path) -> None:
    """Copy what decides how git behaves in a worktree and is no setting: hooks, excludes, attributes and the like."""
    for name in ("info/exclude", "info/attributes", "info/sparse-checkout", "info/grafts", "shallow"):
        with contextlib.suppress(FileNotFoundError):
            (built / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(common / name, built / name)
    hooks = common / "hooks"
    for name in names_in(hooks):
        if not name.endswith(".sample") and (hooks / name).is_file():
            (built / "hooks").mkdir(exist_ok=True)
            shutil.copy2(hooks / name, built / "hooks" / name)
