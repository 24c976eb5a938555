"""What could not be written because the database is away: one file of JSON lines, emptied once all of it has arrived.

For a writer that can learn the newest states again (the operator, from the cluster). The local supervisor keeps an
`outbox`, which is a history of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from autopack.files import write_atomic

from .events import BatchEvent, BatchRecord, RunEvent, facts_of

Event = RunEvent | BatchEvent

_BATCH = frozenset(field.name for field in fields(BatchRecord))


class Spill:
    """The file. One process uses it, and one thread at a time reads and clears it; others may add meanwhile. OSError is
    raised when the disk does not take it.

    `limit` bounds it, in bytes: what comes later is not kept, and has to be learnt again.
    """

    def __init__(self, path: Path, limit: int = 256 << 20) -> None:
        self.path = path
        self._limit = limit
        self._lock = threading.Lock()
        self._read = 0

    def add(self, events: Sequence[Event]) -> bool:
        """Append events, to survive a crash; False when the file is full."""
        data = b"".join(map(encode, events))
        with self._lock:
            return self._append(data)

    def _append(self, data: bytes) -> bool:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        with os.fdopen(descriptor, "r+b") as file:
            size = os.fstat(descriptor).st_size
            if size + len(data) > self._limit:
                return False
            # A line that a crash left without its end must not swallow the next one.
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            file.write(b"\n" + data if torn else data)
            file.flush()
            os.fsync(descriptor)
        return True

    def chunks(self, size: int) -> Iterator[list[Event]]:
        """Yield all events of this moment, so many at a time; lines that are damaged are left out."""
        chunk: list[Event] = []
        with self._lock:
            self._read = self._size()
        with contextlib.suppress(FileNotFoundError), self.path.open("rb") as file:
            left = self._read
            while left > 0 and (line := file.readline(left)):
                left -= len(line)
                event = decode(line)
                if event is not None:
                    chunk.append(event)
                if len(chunk) >= size:
                    yield chunk
                    chunk = []
        if chunk:
            yield chunk

    def waits(self) -> bool:
        """Tell whether there is anything in it."""
        return self._size() > 0

    def clear(self) -> None:
        """Forget what `chunks` has yielded: it has arrived. What was added since then stays."""
        with self._lock:
            if self._size() <= self._read:
                self.path.unlink(missing_ok=True)
            else:
                with self.path.open("rb") as file:
                    file.seek(self._read)
                    write_atomic(self.path, file.read(), 0o640)
            self._read = 0

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0


def encode(event: Event) -> bytes:
    """Return an event as one line of JSON."""
    document = asdict(event)
    document["kind"] = "run" if isinstance(event, RunEvent) else "batch"
    return json.dumps(document, separators=(",", ":")).encode("ascii") + b"\n"


def decode(line: bytes) -> Event | None:
    """Read a line back; None for one that is damaged. Fields of a newer Autopack are left out."""
    try:
        document = json.loads(line)
        facts: dict[str, Any] = document["facts"]
        if document["kind"] == "batch":
            known = {name: value for name, value in facts.items() if name in _BATCH}
            return BatchEvent(document["scope"], document["version"], BatchRecord(**known))
        return RunEvent(document["scope"], document["sequence"], facts_of(facts), document["version"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
