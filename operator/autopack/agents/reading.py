"""An agent's output on its way into a transcript: piece by piece as it grows, or a document at once."""

from __future__ import annotations

from collections.abc import Iterable

from autopack.counts import count_of

from .events import MAX_TEXT, Event, cut, encode
from .formats import Format
from .lines import Lines
from .usage import Usage

TRANSCRIPT = "transcript.jsonl"
"""Name of the artifact."""

MAX_SUMMARY = 256
MAX_LINE = 1 << 20
MAX_DOCUMENT = 8 << 20
MAX_TRANSCRIPT = 8 << 20
"""Bytes; what an agent says beyond is counted, and is in its log."""


class Reading:
    """The transcript of one attempt, and what it adds up to. Nothing that is fed to it raises an error."""

    def __init__(self, form: Format) -> None:
        self._adapter = form.adapter()
        self._lines = Lines(MAX_LINE)
        self._garbage = 0
        self._transcript = bytearray()
        self._cut = 0
        self.summary = ""
        """The first line of what the agent said last, for people: printable, at most MAX_SUMMARY characters."""

    @property
    def usage(self) -> Usage:
        """What the agent says that it used."""
        return self._adapter.usage

    def feed(self, piece: bytes) -> None:
        """Read on in a stream of lines."""
        self._read(self._lines.feed(piece))

    def gap(self) -> None:
        """Say that a piece is missing here."""
        self._lines.gap()

    def end(self) -> None:
        """The stream is over."""
        self._read(self._lines.end())

    def document(self, raw: bytes) -> None:
        """Read a whole document, instead of a stream."""
        self._read([raw])

    def transcript(self) -> bytes:
        """Return the transcript so far as lines of JSON, the last of which says what is missing; empty without one."""
        missing = {"line": self._garbage + self._lines.left_out, "event": self._cut}
        said = [count_of(number, what) for what, number in missing.items() if number]
        if not self._transcript or not said:
            return bytes(self._transcript)
        return bytes(self._transcript) + encode(Event("autopack", "note", f"left out: {' and '.join(said)}"))

    def _read(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            try:
                for event in self._adapter.read(line):
                    self._note(event)
            except Exception:  # noqa: BLE001 - whoever reads has a run's work to save, which no line may prevent
                self._garbage += 1

    def _note(self, event: Event) -> None:
        if event.role == "assistant" and event.kind in {"message", "result", "error"}:
            self.summary = first_line(event.text) or self.summary
        encoded = encode(event)
        if self._cut or len(self._transcript) + len(encoded) > MAX_TRANSCRIPT:
            self._cut += 1
        else:
            self._transcript += encoded


def first_line(text: str) -> str:
    """Return the first line that is not blank, without what cannot be seen, at most MAX_SUMMARY characters long."""
    lines = text[: 4 * MAX_TEXT].splitlines()
    clean = ("".join(char for char in line if char.isprintable()).strip() for line in lines)
    return cut(next(filter(None, clean), ""), MAX_SUMMARY)
