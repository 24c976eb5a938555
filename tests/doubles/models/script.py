"""What the double says, turn by turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SUBMIT = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
"""How mini-swe-agent ends: its instructions ask for this command, words alone do not do it."""


@dataclass(frozen=True)
class Usage:
    """Tokens that an answer reports. `cached` is part of `input`."""

    input: int = 1000
    output: int = 50
    cached: int = 0


@dataclass(frozen=True)
class Turn:
    """One answer: words, and a command for whichever shell tool the request offers. The last turn has no command."""

    text: str
    shell: str = ""
    usage: Usage = Usage()


@dataclass(frozen=True)
class Script:
    """Turns by model; a model that has none of its own gets those of `default`."""

    turns: Mapping[str, Sequence[Turn]]

    def turn(self, model: str, number: int) -> Turn:
        """Return turn `number` (from 0) of a conversation; the last one again when the script is over."""
        turns = self.turns.get(model, self.turns["default"])
        return turns[min(number, len(turns) - 1)]


def parse(document: Mapping[str, Sequence[Mapping[str, Any]]]) -> Script:
    """Read `{"default": [{"text": …, "shell": …, "usage": {"input": …, "output": …, "cached": …}}, …], MODEL: […]}`.

    Raises ValueError without turns for `default`, TypeError on a field that is not known.
    """
    if not all(document.values()) or "default" not in document:
        raise ValueError("a script has turns for `default`, and at least one for every model that it names")
    return Script({model: tuple(map(_turn, listed)) for model, listed in document.items()})


def _turn(given: Mapping[str, Any]) -> Turn:
    return Turn(**{**given, "usage": Usage(**given.get("usage", {}))})
