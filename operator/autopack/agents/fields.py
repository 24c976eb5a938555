"""Values out of JSON that anybody may have written: of the type that is asked for, or empty."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

Record = dict[str, Any]

_ISO = re.compile(r"[0-9]{4}-[0-9T:.Z+-]{6,36}", re.ASCII)


def record(raw: bytes) -> Record:
    """Read one JSON object; raises ValueError or RecursionError for anything else."""
    document = json.loads(raw)
    if not isinstance(document, dict):
        raise ValueError("not an object")  # noqa: TRY004 - as json says it
    return document


def child(value: Record, name: str) -> Record:
    """Return the object of that name."""
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def objects(value: object) -> Iterator[Record]:
    """Yield the objects of a list."""
    yield from (one for one in value if isinstance(one, dict)) if isinstance(value, list) else ()


def string(value: Record, name: str) -> str:
    """Return the text of that name."""
    found = value.get(name)
    return found if isinstance(found, str) else ""


def words(value: object) -> str:
    """Return what stands in a message: a text, the texts of its parts, or else its JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, list):
        return "\n".join(words(one["text"] if isinstance(one, dict) and "text" in one else one) for one in value)
    return json.dumps(value, ensure_ascii=False)


def moment(value: object, unit: float = 1) -> str | None:
    """Return a time as ISO 8601: from a text, or from a number of `unit` seconds since 1970; None for what is none."""
    if isinstance(value, str):
        return value if _ISO.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value * unit, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return None
