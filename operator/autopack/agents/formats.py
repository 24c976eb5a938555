"""What agents print: the formats that are understood, by name."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple, Protocol

from .claude import Claude
from .codex import Codex
from .events import Event
from .mini import Mini
from .opencode import Opencode
from .usage import Usage


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
    """Where a format is found below the artifacts, and whether it is one document that is written again each time."""

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
