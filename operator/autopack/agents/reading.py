"""An agent's output on its way into a transcript: piece by piece as it grows, or a document at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple, Protocol

from autopack.counts import count_of

from .claude import Claude
from .codex import Codex
from .events import MAX_TEXT, Event, cut, encode
from .lines import Lines
from .mini import Mini
from .opencode import Opencode
from .usage import Usage

TRANSCRIPT = "transcript.jsonl"
"""Name of the artifact."""

MAX_SUMMARY = 256
MAX_LINE = 1 << 20
MAX_DOCUMENT = 8 << 20
MAX_TRANSCRIPT = 8 << 20
"""Bytes; what an agent says beyond is counted, and is in its log."""


class OutputFormat(StrEnum):
    """What an agent prints."""

    TEXT = "text"
    CLAUDE_STREAM_JSON = "claude-stream-json"
    CODEX_JSON = "codex-json"
    OPENCODE_JSON = "opencode-json"
    MINI_TRAJECTORY = "mini-trajectory"


class Adapter(Protocol):
    """Understands one format."""

    @property
    def usage(self) -> Usage:
        """What was used, by all that was read."""
        ...

    def read(self, line: bytes) -> Iterator[Event]:
        """Yield what a line says, nothing for what is of no interest. Raises ValueError or
        RecursionError for what is not the format.
        """
        ...


class Format(NamedTuple):
    """Where a format is found below the artifacts, and whether it is one document that is written anew each time."""

    adapter: type[Adapter]
    path: tuple[str, ...] = ("logs", "stdout.log")
    document: bool = False


FORMATS = {
    OutputFormat.CLAUDE_STREAM_JSON: Format(Claude),
    OutputFormat.CODEX_JSON: Format(Codex),
    OutputFormat.OPENCODE_JSON: Format(Opencode),
    OutputFormat.MINI_TRAJECTORY: Format(Mini, ("trajectory.json",), document=True),
}
"""Text has none: its log is all there is."""


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
