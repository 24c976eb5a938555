"""What programs printed, made inert: no escape sequence, no control character, nothing invisible is left. Pure."""

from __future__ import annotations

import re

from autopack.errors import printable

LONGEST_LINE = 2000
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~])"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)


def lines_of(data: bytes, *, cut_first: bool = False) -> list[str]:
    """Return the lines of a log as they may be shown; colours and movements of the cursor are dropped.

    A line that overwrites itself (a progress bar) is shown as it ended. `cut_first` drops a first line whose beginning
    is not in `data`.
    """
    lines = data.decode("utf-8", "replace").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    if cut_first and len(lines) > 1:
        lines = lines[1:]
    return list(map(line, lines))


def line(text: str) -> str:
    """Return one line as it may be shown."""
    plain = _ESCAPES.sub("", text[: LONGEST_LINE * 4]).rstrip("\r").rpartition("\r")[2]
    return printable(plain.expandtabs(4), LONGEST_LINE)
