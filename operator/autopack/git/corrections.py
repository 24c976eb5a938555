"""Changes that nobody made: what git sees in a work tree because of attributes or a sparse checkout alone."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .index import OwnIndex

_LARGEST_COMPARED = 64 << 20
_HASHES = {40: "sha1", 64: "sha256"}


class _Change(NamedTuple):
    status: bytes
    mode: bytes
    old: bytes
    path: bytes

    @property
    def entry(self) -> bytes:
        """What the index had for it before."""
        return self.mode + b" " + self.old + b"\t" + self.path


def correct(index: OwnIndex, differences: bytes) -> bool:
    """Put back into our index what is among its `differences` from HEAD though no file was changed.

    That is a file whose bytes are those of its blob, which a later attribute (`eol`, a filter) would have stored
    otherwise, and a file that the worktree does not have because a sparse checkout left it out. Says whether there was
    any.
    """
    changes = list(_parse(differences))
    entries = [change.entry for change in _same_bytes(index, changes)] + _left_out(index, changes)
    if entries:
        index.enter(entries)
    return bool(entries)


def _parse(shown: bytes) -> Iterator[_Change]:
    """Read `:<mode> <mode> <id> <id> <status>` and, as the next field, the path."""
    fields = iter(shown.split(b"\0"))
    for about in fields:
        words = about.split()
        if len(words) == 5:
            yield _Change(words[4], words[0].lstrip(b":"), words[2], next(fields))


def _same_bytes(index: OwnIndex, changes: list[_Change]) -> Iterator[_Change]:
    modified = [change for change in changes if change.status == b"M" and change.mode.startswith(b"100")]
    if not modified:
        return
    asked = b"".join(change.old + b"\n" for change in modified)
    sizes = index.git("cat-file", "--batch-check=%(objectsize)", input=asked).stdout.split(b"\n")
    for change, size in zip(modified, sizes, strict=False):
        path = index.root / os.fsdecode(change.path)
        if _has_size(path, size) and _blob_id(path, len(change.old)) == change.old.decode():
            yield change


def _has_size(path: Path, size: bytes) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and b"%d" % status.st_size == size and status.st_size <= _LARGEST_COMPARED


def _blob_id(path: Path, length: int) -> str:
    try:
        data = path.read_bytes()
    except OSError:
        return ""
    digest = hashlib.new(_HASHES[length], b"blob %d\0" % len(data), usedforsecurity=False)
    digest.update(data)
    return digest.hexdigest()


def _left_out(index: OwnIndex, changes: list[_Change]) -> list[bytes]:
    """Return the entries, as the worktree's own index has them, of files that it chose not to check out."""
    files = {change.path for change in changes if change.status != b"D"}
    gone = {change.path for change in changes if change.status == b"D" and files.isdisjoint(_above(change.path))}
    if not gone:
        return []
    entries = (entry for entry in index.git_on_theirs("ls-files", "-z", "-v", "--stage").stdout.split(b"\0"))
    kept = []
    for entry in entries:
        about, _, path = entry.partition(b"\t")
        if about[:1] in {b"S", b"s"} and path in gone and not os.path.lexists(index.root / os.fsdecode(path)):
            mode, sha = about.split()[1:3]
            kept.append(mode + b" " + sha + b"\t" + path)
    return kept


def _above(path: bytes) -> Iterator[bytes]:
    """Yield the folders that a path lies in: where one is a file now, there is no room for what was below."""
    parts = path.split(b"/")
    return (b"/".join(parts[:count]) for count in range(1, len(parts)))
