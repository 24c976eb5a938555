"""A request and its answer, whichever API they are put in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from tests.doubles.models.script import SUBMIT, Script, Usage

JsonDict = dict[str, Any]

ASIDE = Usage(input=20, output=2)
"""What a request costs that offers no tool while the script wants one: agents ask for titles and summaries that way."""


@dataclass(frozen=True)
class Tool:
    """A tool that a request offers."""

    name: str
    schema: Mapping[str, Any]
    """JSON Schema of its arguments."""


@dataclass(frozen=True)
class Request:
    """What the double looks at."""

    model: str
    stream: bool
    tools: Sequence[Tool]
    turn: int
    """How many answers the conversation holds already."""
    prompt: str
    """All text of the system and of the user, for tests to look something up in."""
    usage_asked: bool = False
    """Whether a streamed chat asks for its usage."""


@dataclass(frozen=True)
class Answer:
    """Words, then perhaps the call of a tool."""

    text: str
    usage: Usage
    tool: str = ""
    arguments: Mapping[str, Any] | None = None
    """None when no tool is called."""


def answer(script: Script, request: Request) -> Answer:
    """Play the turn that is due."""
    turn = script.turn(request.model, request.turn)
    command = turn.shell or (SUBMIT if SUBMIT in request.prompt else "")
    if not command:
        return Answer(turn.text, turn.usage)
    for tool in request.tools:
        if (arguments := _shell_arguments(tool.schema, command)) is not None:
            return Answer(turn.text, turn.usage, tool.name, arguments)
    return Answer(turn.text, ASIDE)


def turns_in(made_by_the_model: Iterable[bool]) -> int:
    """Count the answers in a conversation: neighbours that the model made are parts of one."""
    return sum(made for made, _ in groupby(made_by_the_model))


def text_of(content: object) -> str:
    """Return the text of a message's content: a string, or a list of parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))


def _shell_arguments(schema: Mapping[str, Any], command: str) -> JsonDict | None:
    """Return arguments for a tool that takes a shell command as `command` or `cmd`; None for any other tool."""
    properties: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
    name = next((name for name in ("command", "cmd") if name in properties), None)
    if name is None:
        return None
    others = {
        other: "Run a command"
        for other in schema.get("required", ())
        if other != name and properties.get(other, {}).get("type") == "string"
    }
    as_words = properties[name].get("type") == "array"
    return {name: ["bash", "-lc", command] if as_words else command, **others}
