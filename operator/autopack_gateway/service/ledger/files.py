"""The journal's files: one for each term of a leader, `<term>.journal`, beginning with all that was true by then.

A leader makes the file of its term first and reads its predecessor's afterwards. A predecessor that is still there
looks for a later term after everything that it has put on the disk, and before it acts on it. So either it sees that
it has been followed, or its successor sees what it wrote.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from autopack.errors import AutopackError
from autopack.files import names_in, sync_directory

from .books import Books
from .frames import line, read

_NAME = re.compile(r"(\d{10})\.journal")


class FencedError(AutopackError):
    """Another leader has taken over."""

    def __init__(self, term: int) -> None:
        super().__init__("Fenced", f"another gateway leads, in a term after {term}")


class Opened(NamedTuple):
    """A journal that is open for writing, and the books that it begins with."""

    file: JournalFile
    books: Books
    dropped: int
    """How many bytes at the end of the journal before were not whole."""


class JournalFile:
    """One term's file. For one thread at a time."""

    def __init__(self, folder: Path, term: int, descriptor: int) -> None:
        self.term, self.size = term, 0
        self._folder, self._descriptor = folder, descriptor

    def append(self, data: bytes) -> None:
        """Put lines on the disk. Raises OSError; FencedError when a later term has begun, and they may not count."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]
        os.fdatasync(self._descriptor)
        self.size += len(data)
        if latest(self._folder) > self.term:
            raise FencedError(self.term)

    def close(self) -> None:
        """Close it."""
        os.close(self._descriptor)


def latest(folder: Path) -> int:
    """Return the latest term that has begun, 0 without any."""
    return max(_terms(folder), default=0)


def begin(folder: Path, at_least: int, since: int) -> Opened:
    """Begin a term: follow whoever wrote before, and keep its books, without what was not used since a day.

    Raises OSError, and FencedError when somebody else begins the same term.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _begin(folder, max(at_least, latest(folder) + 1), since)


def roll(folder: Path, term: int, since: int) -> Opened:
    """Go on after one's own term in a new file. It is the very next term's: a later one would overtake whoever follows.

    Raises OSError, and FencedError when somebody has followed.
    """
    return _begin(folder, term + 1, since)


def _begin(folder: Path, term: int, since: int) -> Opened:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        descriptor = os.open(_path(folder, term), flags, 0o600)
    except FileExistsError as error:
        raise FencedError(term - 1) from error
    file = JournalFile(folder, term, descriptor)
    try:
        sync_directory(folder)
        books, dropped = _books(folder, term)
        file.append(line({"kind": "books", "books": books.document(since)}))
        for old in _terms(folder):
            if old < term:
                _path(folder, old).unlink(missing_ok=True)
    except BaseException:
        file.close()
        raise
    return Opened(file, books, dropped)


def _books(folder: Path, before: int) -> tuple[Books, int]:
    """Return what the terms before say: the newest one whose beginning is whole."""
    for term in sorted((term for term in _terms(folder) if term < before), reverse=True):
        records, dropped = read(_path(folder, term).read_bytes())
        if records and records[0]["kind"] == "books":
            try:
                return _replayed(records), dropped
            except (KeyError, ValueError, ArithmeticError) as error:
                message = f"the journal of term {term} has a record that makes no sense ({error!r})"
                fix = "Look at the file; move it away only if what was spent so far may be forgotten"
                raise AutopackError("JournalDamaged", message, fix) from error
    return Books(), 0


def _replayed(records: list[dict[str, Any]]) -> Books:
    books = Books.read(records[0]["books"])
    for record in records[1:]:
        books.apply(record)
    return books


def _terms(folder: Path) -> list[int]:
    found = (_NAME.fullmatch(name) for name in names_in(folder))
    return [int(match[1]) for match in found if match]


def _path(folder: Path, term: int) -> Path:
    return folder / f"{term:010d}.journal"
