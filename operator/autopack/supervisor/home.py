"""A home folder for one attempt alone: agents keep databases and sessions there that runs must not share."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath

from autopack.errors import InvalidInput, printable
from autopack.trees import remove_tree

_ALWAYS = (".gitconfig", ".config/git")
_STATE = {"XDG_CONFIG_HOME": ".config", "XDG_DATA_HOME": ".local/share", "XDG_STATE_HOME": ".local/state"}


def check_home_files(names: Sequence[str], home: Path) -> tuple[str, ...]:
    """Return the names of files and folders in the user's home; raise InvalidInput for one that is none."""
    for name in names:
        path = PurePath(name)
        if path.is_absolute() or ".." in path.parts or path == PurePath():
            message = f"'{printable(name, 120)}' is not a path below your home folder"
            raise InvalidInput("home_files", message, "Give one such as .claude/.credentials.json")
        if not (home / name).exists():
            raise InvalidInput("home_files", f"{printable(str(home / name), 200)} does not exist", "Leave it out")
    return tuple(names)


@contextlib.contextmanager
def private_home(folder: Path, base: Mapping[str, str], names: Sequence[str]) -> Iterator[dict[str, str]]:
    """Make `folder` a home, yield the environment that says so, and remove it at the end.

    Copied into it are git's settings and what `names` lists of the home in the environment `base`. Caches stay where
    they are: they are made to be shared. Raises OSError.
    """
    own = home_of(base)
    _remove(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        for name in (*_ALWAYS, *names):
            if (own / name).exists():
                _copy(own / name, folder / name)
        state = {variable: str(folder / place) for variable, place in _STATE.items()}
        cache = base.get("XDG_CACHE_HOME") or str(own / ".cache")
        yield {"HOME": str(folder), "XDG_CACHE_HOME": cache} | state
    finally:
        _remove(folder)


def home_of(environ: Mapping[str, str]) -> Path:
    """Return the user's own home folder."""
    return Path(environ.get("HOME") or Path.home())


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, copy_function=_copy_file)
    else:
        _copy_file(source, target)


def _copy_file(source: Path | str, target: Path | str) -> None:
    # Agents leave sockets and pipes beside their files.
    if Path(source).is_file():
        shutil.copy2(source, target)


def _remove(folder: Path) -> None:
    with contextlib.suppress(OSError):
        remove_tree(folder)
