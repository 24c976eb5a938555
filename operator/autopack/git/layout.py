"""How a repository is laid out, by its own config file: where that is the usual way, files answer what git would say.

Only files that git itself keeps stable are read here, and every doubt is a "no": then the caller asks git.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_HEADER = re.compile(r'\[\s*([A-Za-z0-9.-]+)\s*("[^"\\]*")?\s*\]')
_VERSIONS = frozenset({"0", "1"})


class Layout(NamedTuple):
    """A repository laid out the usual way: refs in files, ids of SHA-1, one config for all worktrees.

    `bare`: it has no main worktree; `tree_elsewhere`: a setting says where the main worktree is.
    """

    bare: bool
    tree_elsewhere: bool


# The same few files are asked about again and again.
@functools.lru_cache(maxsize=64)
def parse_layout(config: str) -> Layout | None:
    """Return the layout that a repository's own config file tells; None where it is unusual, or hard to read.

    Any extension makes it unusual (reftable, SHA-256, a config for each worktree, relative paths, and those to come),
    and so do files shared between users, whose rights git would have to set. Git decides the same way: by this file
    alone, without those it includes.
    """
    core: dict[str, str] = {}
    for section, line in _lines(config):
        if section is None or section.split(".")[0] == "extensions":
            return None
        if section == "core":
            name, _, value = line.partition("=")
            core[name.strip().lower()] = value.strip().lower()
    usual = core.get("repositoryformatversion") in _VERSIONS and "sharedrepository" not in core
    if not usual or core.get("bare") not in {"true", "false"}:
        return None
    return Layout(bare=core["bare"] == "true", tree_elsewhere="worktree" in core)


def _lines(config: str) -> Iterator[tuple[str | None, str]]:
    """Yield the lines under each header with its lower-case name, and headers as empty lines; None: not understood."""
    section = ""
    for raw in config.split("\n"):
        line = raw.strip()
        if line.endswith("\\"):
            # It goes on in the next line, which then is none of its own.
            yield None, line
        elif line.startswith("["):
            header = _HEADER.fullmatch(line)
            if header is None:
                yield None, line
            else:
                section = f"{header[1]}.{header[2]}".lower() if header[2] else header[1].lower()
                yield section, ""
        elif line and line[0] not in "#;":
            yield section, line


def layout_of(common: Path) -> Layout | None:
    """Return the layout of the repository whose git dir is `common`; None where it is not the usual one."""
    try:
        return parse_layout((common / "config").read_text("utf-8"))
    except (OSError, ValueError):
        return None


def common_of(git_dir: Path) -> Path:
    """Return the git dir that has the refs and objects of `git_dir`: itself, or of a linked worktree its repository."""
    try:
        return (git_dir / os.fsdecode((git_dir / "commondir").read_bytes()).strip()).resolve()
    except (OSError, ValueError):
        return git_dir


def own_git_dir(repo: Path) -> Path | None:
    """Return the absolute git dir of a repository if `repo` is the top of its main worktree, or a bare one.

    None for a linked worktree, a folder below the top, and what is no repository.
    """
    inside = Path(repo) / ".git"
    if _is_git_dir(inside):
        return inside.resolve()
    if not os.path.lexists(inside) and _is_git_dir(Path(repo)):
        return Path(repo).resolve()
    return None


def _is_git_dir(folder: Path) -> bool:
    whole = (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()
    return whole and not (folder / "commondir").exists()


def has_no_ref(common: Path, ref: str) -> bool:
    """Tell whether a repository surely has no ref of this full name; False where only git can say."""
    if layout_of(common) is None or os.path.lexists(common / ref):
        return False
    # In this order: git puts a ref into the packed ones before it takes its own file away.
    try:
        return b" " + os.fsencode(ref) + b"\n" not in (common / "packed-refs").read_bytes()
    except FileNotFoundError:
        return True
    except OSError:
        return False
