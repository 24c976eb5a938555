"""Which branches a RunProfile lets be pushed. The publisher judges again; here it is said before a pod starts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_PARTS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def matches(branch: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns fits: `*` and `?` stand for no slash, `**` for anything."""
    return any(_compiled(pattern).fullmatch(branch) for pattern in patterns)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return re.compile("".join(_PARTS.get(piece) or re.escape(piece) for piece in pieces), re.DOTALL)
