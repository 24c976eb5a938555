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


def size(count: int | None) -> str:
    """Return a number of bytes for people: `512 B`, `1.5 KiB`."""
    if count is None:
        return ""
    value = float(count)
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 10 else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"


def duration(seconds: float | None) -> str:
    """Return a length of time for people: `5s`, `1m 05s`, `2h 03m`, `3d 4h`."""
    if seconds is None:
        return ""
    whole = max(0, round(seconds))
    minutes, secs = divmod(whole, 60)
    hours, mins = divmod(minutes, 60)
    days, hrs = divmod(hours, 24)
    if days:
        return f"{days}d {hrs}h"
    if hours:
        return f"{hours}h {mins:02}m"
    return f"{minutes}m {secs:02}s" if minutes else f"{secs}s"
