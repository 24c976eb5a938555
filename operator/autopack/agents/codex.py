"""Codex: `codex exec --json`. Items of a thread as they begin and end, and the thread's tokens after each turn."""

from __future__ import annotations

from collections.abc import Iterator

from .events import Event
from .fields import Record, child, objects, record, string, words
from .usage import Usage, count


class Codex:
    """Implements formats.Adapter. It tells neither the cost nor how often a model was asked."""

    def __init__(self) -> None:
        self._earlier = Usage()
        # The numbers of a turn are those of its thread so far: they replace each other.
        self._thread = Usage()
        self._turns = 0

    @property
    def usage(self) -> Usage:
        """See formats.Adapter."""
        return self._earlier.plus(self._thread)

    def read(self, line: bytes) -> Iterator[Event]:
        """See formats.Adapter."""
        said = record(line)
        match said.get("type"):
            case "thread.started":
                self._earlier, self._thread, self._turns = self.usage, Usage(), 0
            case "turn.completed":
                used = child(said, "usage")
                self._turns += 1
                self._thread = Usage(
                    input_tokens=count(used.get("input_tokens")),
                    output_tokens=count(used.get("output_tokens")),
                    cached_tokens=count(used.get("cached_input_tokens")),
                    turns=self._turns,
                )
                yield Event("assistant", "usage", usage=self._thread)
            case "turn.failed":
                yield Event("assistant", "error", string(child(said, "error"), "message"), failed=True)
            case "error":
                yield Event("system", "note", string(said, "message"))
            case "item.started":
                yield from _called(child(said, "item"))
            case "item.completed":
                yield from _ended(child(said, "item"))


def _called(item: Record) -> Iterator[Event]:
    match item.get("type"):
        case "command_execution":
            yield Event("assistant", "tool_call", string(item, "command"), "shell")
        case "mcp_tool_call":
            yield Event("assistant", "tool_call", words(item.get("arguments")), _mcp(item))


def _ended(item: Record) -> Iterator[Event]:
    failed = item.get("status") in ("failed", "declined")
    match item.get("type"):
        case "agent_message":
            yield Event("assistant", "message", string(item, "text"))
        case "reasoning":
            yield Event("assistant", "reasoning", string(item, "text"))
        case "command_execution":
            yield Event("tool", "tool_result", string(item, "aggregated_output"), "shell", failed=failed)
        case "mcp_tool_call":
            answer = item.get("error") if failed else child(item, "result").get("content")
            yield Event("tool", "tool_result", words(answer), _mcp(item), failed=failed)
        case "file_change":
            changes = (f"{string(one, 'kind')} {string(one, 'path')}" for one in objects(item.get("changes")))
            yield Event("assistant", "tool_call", "\n".join(changes), "file_change", failed=failed)
        case "web_search":
            yield Event("assistant", "tool_call", string(item, "query"), "web_search")
        case "error":
            yield Event("system", "note", string(item, "message"))


def _mcp(item: Record) -> str:
    return f"{string(item, 'server')}.{string(item, 'tool')}"
