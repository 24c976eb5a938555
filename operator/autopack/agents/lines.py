"""Lines out of a stream, none of them longer than what may be held in memory."""

from __future__ import annotations

from collections.abc import Iterator


class Lines:
    """Takes a stream piece by piece; `left_out` counts what was too long or was missing."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._pending = bytearray()
        self._lost = False
        self.left_out = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield the lines that are complete now, without their ends."""
        *ended, rest = piece.split(b"\n")
        for part in ended:
            self._add(part)
            yield from self._take()
        self._add(rest)

    def gap(self) -> None:
        """Say that a piece of the stream is missing here: what is left of the lines at its ends is no line."""
        self._lose()

    def end(self) -> Iterator[bytes]:
        """Yield what stands after the last end of a line."""
        yield from self._take()

    def _add(self, part: bytes) -> None:
        if self._lost:
            return
        if len(self._pending) + len(part) > self._longest:
            self._lose()
        else:
            self._pending += part

    def _lose(self) -> None:
        self.left_out += not self._lost
        self._lost = True
        self._pending.clear()

    def _take(self) -> Iterator[bytes]:
        line, lost = bytes(self._pending), self._lost
        self._pending.clear()
        self._lost = False
        if line.strip() and not lost:
            yield line
