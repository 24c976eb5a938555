"""The API server's audit log as a measuring instrument: who asked what, and when, to the microsecond."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

MUTATING = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True, slots=True)
class Request:
    """One answered request. Times are seconds since the epoch, on the API server's clock."""

    verb: str
    resource: str
    namespace: str
    name: str
    agent: str
    user: str
    code: int
    received: float
    done: float

    @property
    def mutating(self) -> bool:
        """Whether it asked for a change and was granted it."""
        return self.verb in MUTATING and 200 <= self.code < 300


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the log: the file it was then (the log is rotated by renaming) and the bytes before it."""

    inode: int
    offset: int


class AuditLog:
    """The log of an API server on this machine, rotated files included."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def mark(self) -> Mark:
        """Where the log ends now."""
        status = self._path.stat()
        return Mark(status.st_ino, status.st_size)

    def since(self, mark: Mark, namespaces: Iterable[str]) -> list[Request]:
        """What was answered after the mark in these namespaces, in the order of the answers.

        Raises ValueError when the log was rotated away meanwhile: figures with holes are no figures.
        """
        wanted = frozenset(namespaces)
        found = [request for line in self._lines(mark) if (request := read(line)) and request.namespace in wanted]
        return sorted(found, key=lambda request: request.done)

    def _lines(self, mark: Mark) -> Iterator[bytes]:
        rotated = self._path.parent.glob(f"{self._path.stem}-*{self._path.suffix}")
        files = [*sorted(rotated, key=lambda path: path.stat().st_mtime), self._path]
        inodes = [path.stat().st_ino for path in files]
        if mark.inode not in inodes:
            raise ValueError(f"{self._path} was rotated more often than it keeps files")
        for number, path in enumerate(files[inodes.index(mark.inode) :]):
            with path.open("rb") as log:
                log.seek(mark.offset if number == 0 else 0)
                # The last line may still be in writing.
                yield from (line for line in log if line.endswith(b"\n"))


def read(line: bytes) -> Request | None:
    """One line of the log; None for what is not about an object, or not an answer."""
    event = json.loads(line)
    about = event.get("objectRef")
    if not about or event["stage"] != "ResponseComplete":
        return None
    resource, subresource = about.get("resource", ""), about.get("subresource", "")
    return Request(
        verb=event["verb"],
        resource=f"{resource}/{subresource}" if subresource else resource,
        namespace=about.get("namespace", ""),
        name=about.get("name", ""),
        agent=event.get("userAgent", ""),
        user=event["user"]["username"],
        code=event["responseStatus"]["code"],
        received=_seconds(event["requestReceivedTimestamp"]),
        done=_seconds(event["stageTimestamp"]),
    )


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
