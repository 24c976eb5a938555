"""Records as lines of a file: a checksum, then JSON. Pure."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple


def line(record: Mapping[str, Any]) -> bytes:
    """Return a record as a line."""
    data = json.dumps(record, separators=(",", ":"), allow_nan=False).encode()
    return b"%08x %b\n" % (zlib.crc32(data), data)


class Read(NamedTuple):
    """The good records from the beginning on, and how many bytes came after them."""

    records: list[dict[str, Any]]
    dropped: int


def read(data: bytes) -> Read:
    """Read lines up to the first that is not whole: what a crash left there was never answered to anybody."""
    records: list[dict[str, Any]] = []
    at = 0
    while (end := data.find(b"\n", at)) >= 0:
        record = _record(data[at:end])
        if record is None:
            break
        records.append(record)
        at = end + 1
    return Read(records, len(data) - at)


def _record(text: bytes) -> dict[str, Any] | None:
    checksum, _, data = text.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(data):
        return None
    try:
        record = json.loads(data)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
