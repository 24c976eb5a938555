"""Takes credentials out of text that people, logs or the registry get to see."""

from __future__ import annotations

import re

# One slash is enough: an address that was taken for a path has lost the other.
_CREDENTIALS = re.compile(r"(:/+)(?:[^/\s]*@|[^\s/:@]+:\S*@)")
_QUERY = re.compile(r"(:/+[^\s?]*\?)\S+")


def redact_url(text: str) -> str:
    """Return `text` with user names, passwords and query strings of every URL in it replaced by `***`."""
    return _QUERY.sub(r"\1***", _CREDENTIALS.sub(r"\1***@", text))
