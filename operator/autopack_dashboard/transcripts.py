"""A transcript as a page shows it. It is a run's artifact: what is no line of one is left out. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass

from autopack.agents.usage import Usage, from_json

MOST_SHOWN = 1000
_FOLDED = frozenset({"tool_call", "tool_result", "reasoning"})
_LONGEST_TITLE = 120


@dataclass(frozen=True)
class Entry:
    """One step. `folded` ones are shown by their `title` until somebody opens them."""

    role: str
    kind: str
    tool: str
    text: str
    at: str
    failed: bool
    usage: Usage

    @property
    def folded(self) -> bool:
        """Whether it is long and seldom read."""
        return self.kind in _FOLDED and bool(self.text)

    @property
    def title(self) -> str:
        """What it is, on one line."""
        first = next((line.strip() for line in self.text.splitlines() if line.strip()), "")
        return f"{self.tool or self.kind.replace('_', ' ')}: {first[:_LONGEST_TITLE]}"


def parse(data: bytes) -> tuple[list[Entry], bool]:
    """Return the first steps, and whether there are more."""
    found: list[Entry] = []
    for line in data.split(b"\n"):
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(said, dict):
            if len(found) == MOST_SHOWN:
                return found, True
            texts = {name: str(said.get(name) or "") for name in ("role", "kind", "tool", "text", "at")}
            found.append(Entry(**texts, failed=said.get("failed") is True, usage=from_json(said)))
    return found, False
