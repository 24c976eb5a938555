"""One step of a transcript, and the line of JSON that it becomes."""

from __future__ import annotations

import json
from typing import Literal, NamedTuple

from .usage import UNKNOWN, Usage, to_json

Role = Literal["system", "user", "assistant", "tool", "autopack"]
"""Who speaks. `autopack` is what we add: where something is left out."""

Kind = Literal["message", "reasoning", "tool_call", "tool_result", "usage", "error", "result", "note"]
"""`result` is how the agent ended, by its own words."""

MAX_TEXT = 8192
"""Characters of a text; what an agent printed in full is in its log."""
_MAX_NAME = 128


class Event(NamedTuple):
    """`text` is what was said, what a tool was given or what it answered; `failed` tells of a tool's call."""

    role: Role
    kind: Kind
    text: str = ""
    tool: str = ""
    at: str | None = None
    failed: bool = False
    usage: Usage = UNKNOWN


def encode(event: Event) -> bytes:
    """Return the event as a line of ASCII, without what is empty."""
    line = {
        "at": event.at,
        "role": event.role,
        "kind": event.kind,
        "tool": cut(event.tool, _MAX_NAME),
        "text": cut(event.text, MAX_TEXT),
        "failed": event.failed,
    }
    known = {name: value for name, value in line.items() if value}
    used = to_json(event.usage) if event.usage.known else {}
    return json.dumps(known | used).encode("ascii") + b"\n"


def cut(text: str, limit: int) -> str:
    """Return at most so many characters; a final `…` says that there were more."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
