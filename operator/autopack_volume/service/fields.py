"""Fields of what callers send, each checked by name: pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from autopack.errors import InvalidInput

from .answers import Json


def read_object(raw: bytes, message: type) -> Json:
    """Return the JSON object in a body, if it has no field that the message lacks; raise InvalidInput otherwise."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("body", "is not JSON", "Send a JSON object") from error
    if not isinstance(body, dict):
        raise InvalidInput("body", "is not an object", "Send a JSON object")
    return check_fields(body, message)


def check_fields(found: Json, message: type, place: str = "body") -> Json:
    """Return an object if it has no field that the message lacks; raise InvalidInput naming its place otherwise."""
    names = message.__annotations__.keys()
    if unknown := sorted(found.keys() - names):
        raise InvalidInput(place, f"has an unknown field {unknown[0][:60]!r}", f"Known are {', '.join(sorted(names))}")
    return found


def flag(body: Mapping[str, object], name: str) -> bool:
    """Return a field that is false when it is not there."""
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise InvalidInput(name, "is not true or false", "Send a JSON boolean")
    return value


def text(body: Mapping[str, object], name: str) -> str:
    """Return a field that must be there."""
    value = body.get(name)
    if not isinstance(value, str):
        raise InvalidInput(name, "is missing or not text", "Send a JSON string")
    return value


def attempt_number(text: str) -> int:
    """Return the number of an attempt; raise InvalidInput otherwise."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text, re.ASCII):
        raise InvalidInput("attempt", "is not a whole number from 1", "Count attempts from 1")
    return int(text)
