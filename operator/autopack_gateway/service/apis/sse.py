"""Server-sent events, cut out of the pieces in which they arrive."""

from __future__ import annotations

import re
from collections.abc import Iterator

_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")


class Splitter:
    """Gives whole events, as they came over the wire."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the events that this piece completes."""
        # The end of an event may have been cut in two: look again at the last three bytes.
        start = max(0, len(self._rest) - 3)
        self._rest += piece
        events: list[bytes] = []
        done = 0
        for end in _END.finditer(self._rest, start):
            events.append(bytes(self._rest[done : end.end()]))
            done = end.end()
        del self._rest[:done]
        return events

    def end(self) -> bytes:
        """Return what is left of an event that was not completed."""
        return bytes(self._rest)


def data_of(event: bytes) -> bytes:
    """Return the data of an event: its `data` lines, joined."""
    return b"\n".join(_data_lines(event))


def _data_lines(event: bytes) -> Iterator[bytes]:
    for line in event.splitlines():
        if line.startswith(b"data:"):
            yield line[5:].removeprefix(b" ")
