"""Makes what a program printed safe for a terminal, colours apart: pure."""

from __future__ import annotations

import re

_COLOUR = re.compile(r"\x1b\[[0-9;]{0,32}m")
_HARMLESS = frozenset("\n\t")


def inert(text: str) -> str:
    r"""Return text whose control characters are shown as `\x1b`, but for line ends, tabs and colours.

    A log may hold what moves the cursor, sets the window's title or answers for the user.
    """
    shown, place = [], 0
    for colour in _COLOUR.finditer(text):
        shown += [_escaped(text[place : colour.start()]), colour[0]]
        place = colour.end()
    return "".join([*shown, _escaped(text[place:])])


def _escaped(text: str) -> str:
    return "".join(
        char
        if char in _HARMLESS or char.isprintable()
        else char.encode("unicode_escape", "backslashreplace").decode("ascii")
        for char in text.replace("\r\n", "\n")
    )
