"""Bare repositories of our own, as `git init --bare --template=` makes them, without a process for it.

The format (gitrepository-layout(5)) is written down in the config file, so it is this one whatever a git to come makes
by default.
"""

from __future__ import annotations

from pathlib import Path

NO_BRANCH = "ref: refs/heads/autopack-none"
"""What HEAD says where nothing is to be checked out."""

_FORMAT = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"


def make_bare(path: Path, settings: str, head: str = NO_BRANCH) -> None:
    """Make an empty repository at `path`, which must not exist, or be empty.

    `settings` is the text of further sections of its config file, `head` what its HEAD says. Raises OSError.
    """
    path.mkdir(parents=True, exist_ok=True)
    for folder in ("objects", "objects/info", "refs", "refs/heads"):
        (path / folder).mkdir()
    (path / "config").write_text(_FORMAT + settings, "utf-8")
    # Last: git takes a folder for a repository by this file.
    (path / "HEAD").write_text(f"{head}\n", "utf-8")
