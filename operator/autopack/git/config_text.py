"""Pieces of git's config files."""

from __future__ import annotations

import re
from pathlib import Path

from .runner import run_git

_FORMAT = ("extensions.", "core.repositoryformatversion")


def quoted(value: Path | str) -> str:
    """Return a path or a name as git reads it back as it is (git-config(1), "syntax")."""
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{text}"'


def including(config: Path) -> str:
    """Return the text of a config file that says all that another says.

    The format of a repository must be written in its own file, so that is repeated; all else is included. Refs of ours
    are always kept in files, and settings for one worktree are not handed on.
    """
    text = config.read_text("utf-8", "surrogateescape")
    formats = ""
    if re.search(r"^\s*\[\s*extensions", text, re.IGNORECASE | re.MULTILINE):
        listed = run_git(["config", "--file", str(config), "--no-includes", "--null", "--list"], cwd=config.parent).text
        pairs = (entry.partition("\n")[::2] for entry in listed.split("\0"))
        said = {key.split(".", 1)[1]: value for key, value in pairs if key.startswith(_FORMAT)}
        version = said.pop("repositoryformatversion", "0")
        kept = {key: value for key, value in said.items() if key not in {"worktreeconfig", "refstorage"}}
        extensions = "".join(f"\t{key} = {value}\n" for key, value in kept.items())
        formats = f"[core]\n\trepositoryformatversion = {version}\n[extensions]\n{extensions}"
    return f"{formats}[include]\n\tpath = {quoted(config)}\n"
