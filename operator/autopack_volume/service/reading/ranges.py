"""Which bytes of a file a reader asked for: pure."""

from __future__ import annotations

import re

from autopack.errors import AutopackError

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return (offset, length) of an HTTP `Range`; None when the whole file is meant.

    What is not one plain range of bytes is ignored, as RFC 9110 says. Raises AutopackError RangeNotSatisfiable.
    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        offset, end = max(0, size - int(found[2])), size
        unusable = int(found[2]) == 0 or size == 0
    else:
        offset = int(found[1])
        end = min(size, int(found[2]) + 1) if found[2] else size
        if found[2] and int(found[2]) < offset:
            return None
        unusable = offset >= size
    if unusable:
        raise AutopackError("RangeNotSatisfiable", f"the file has {size} bytes", "Ask for a range within them")
    return offset, end - offset


def window(size: int, *, tail: int | None, offset: int | None, limit: int) -> tuple[int, int]:
    """Return (offset, length) of the part of a log of `size` bytes that is wanted, at most `limit` bytes.

    The last `tail` bytes, or what comes from `offset` on; without both, the beginning. An offset after
    the end is the end.
    """
    start = max(0, size - min(tail, limit)) if tail is not None else min(offset or 0, size)
    return start, min(size - start, limit)
