"""The added lines of what `git log --patch` prints. Pure.

It counts lines as the hunks say, so no text passes for a header.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

MARK = b"\x01commit "
"""Begins the line before each commit's patch: no patch has it outside of a hunk."""
_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_LONGEST = 1 << 16
"""Longer lines come in pieces of so many bytes."""
_OVERLAP = 512
"""What is split by a cut is seen in the piece after it."""

ReadLine = Callable[[int], bytes]
"""As a file's `readline`: at most so many bytes, without a newline at their end where the line is longer."""


class AddedLine(NamedTuple):
    """A line, or a piece of a long one, that a commit adds."""

    commit: str
    path: str
    number: int
    text: bytes


def added_lines(read: ReadLine) -> Iterator[AddedLine]:
    """Yield all of them; ValueError for what is no such output."""
    commit, path, old, new, number = "", "", 0, 0, 0
    while True:
        start = read(_LONGEST)
        if not start:
            if old or new:
                raise ValueError("a patch ends within a hunk")
            return
        if old or new:
            kind = start[:1]
            if kind in (b"+", b" "):
                if kind == b"+":
                    yield from (AddedLine(commit, path, number, text) for text in _pieces(start[1:], read, start))
                else:
                    _skip(start, read)
                new, number = new - 1, number + 1
                old -= kind == b" "
                continue
            _skip(start, read)
            if kind == b"-":
                old -= 1
            elif kind != b"\\":
                raise ValueError("a hunk has a line of no kind")
            continue
        _skip(start, read)
        if start.startswith(MARK):
            commit, path = start[len(MARK) :].strip().decode("ascii", "replace"), ""
        elif start.startswith(b"+++ "):
            path = _path(start[4:].rstrip(b"\n"))
        elif found := _HUNK.match(start):
            old, new, number = int(found[1] or b"1"), int(found[3] or b"1"), int(found[2])


def _pieces(first: bytes, read: ReadLine, whole: bytes) -> Iterator[bytes]:
    yield first.rstrip(b"\r\n")
    last = whole
    while last and not last.endswith(b"\n"):
        kept, last = last[-_OVERLAP:], read(_LONGEST)
        if last:
            yield (kept + last).rstrip(b"\r\n")


def _skip(start: bytes, read: ReadLine) -> None:
    while start and not start.endswith(b"\n"):
        start = read(_LONGEST)


def _path(name: bytes) -> str:
    # Git ends a name that has a space with a tab.
    text = name.removesuffix(b"\t").decode("utf-8", "replace")
    return text.removeprefix('"').removeprefix("b/").removesuffix('"')
