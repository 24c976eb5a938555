"""Patterns of branches and paths: `*` and `?` stand for no slash, `**` for anything. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_PARTS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Tell whether one of the patterns fits the whole name."""
    return any(_compiled(pattern).fullmatch(name) for pattern in patterns)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return re.compile("".join(_PARTS.get(piece) or re.escape(piece) for piece in pieces), re.DOTALL)
