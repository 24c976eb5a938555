"""Claude Code: `claude -p --output-format stream-json --verbose`.

Every message of the conversation is a line, one for each block of an answer; the last line, `result`, has the totals.
"""

from __future__ import annotations

from collections.abc import Iterator

from .events import Event
from .fields import Record, child, moment, objects, record, string, words
from .usage import Usage, count, micro


class Claude:
    """Implements formats.Adapter. A command may start Claude Code several times: its results are added up."""

    def __init__(self) -> None:
        self._ended = Usage()
        # Since the last result: all there is of one that was stopped.
        self._seen = Usage()
        self._answer = ""

    @property
    def usage(self) -> Usage:
        """See formats.Adapter."""
        return self._ended.plus(self._seen)

    def read(self, line: bytes) -> Iterator[Event]:
        """See formats.Adapter."""
        said = record(line)
        at = moment(said.get("timestamp"))
        match said.get("type"):
            case "assistant":
                message = child(said, "message")
                self._count(message)
                yield from (event for block in objects(message.get("content")) for event in _answered(block, at))
            case "user":
                content = child(said, "message").get("content")
                if isinstance(content, str):
                    yield Event("user", "message", content, at=at)
                yield from (event for block in objects(content) for event in _given(block, at))
            case "result":
                used = _result(said)
                # Only the messages tell how often a model was asked.
                self._ended = self._ended.plus(used._replace(requests=self._seen.requests))
                self._seen, self._answer = Usage(), ""
                text = words(said.get("result") or said.get("errors")) or string(said, "subtype")
                yield Event("assistant", "result", text, at=at, failed=said.get("is_error") is True, usage=used)

    def _count(self, message: Record) -> None:
        answer = string(message, "id")
        if answer != self._answer:
            self._answer = answer
            used = _tokens(child(message, "usage"), "input_tokens", "output_tokens", *_CACHES)
            self._seen = self._seen.plus(used._replace(requests=1))


_CACHES = ("cache_read_input_tokens", "cache_creation_input_tokens")


def _tokens(used: Record, sent: str, answered: str, read: str, written: str) -> Usage:
    """What is read from the cache or written to it is no part of the input there."""
    cached, rest = Usage(input_tokens=count(used.get(read))), Usage(input_tokens=count(used.get(written)))
    fresh = Usage(input_tokens=count(used.get(sent)), output_tokens=count(used.get(answered)))
    return fresh.plus(cached).plus(rest)._replace(cached_tokens=cached.input_tokens)


def _result(said: Record) -> Usage:
    total = Usage()
    # By model, with what sub-agents and the agent's own errands used; `usage` is the main conversation alone.
    for used in objects(list(child(said, "modelUsage").values())):
        names = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens")
        total = total.plus(_tokens(used, *names))
    if not total.known:
        total = _tokens(child(said, "usage"), "input_tokens", "output_tokens", *_CACHES)
    return total._replace(turns=count(said.get("num_turns")), micro_usd=micro(said.get("total_cost_usd")))


def _answered(block: Record, at: str | None) -> Iterator[Event]:
    match block.get("type"):
        case "text":
            yield Event("assistant", "message", string(block, "text"), at=at)
        case "thinking":
            yield Event("assistant", "reasoning", string(block, "thinking"), at=at)
        case "tool_use":
            yield Event("assistant", "tool_call", words(block.get("input")), string(block, "name"), at)


def _given(block: Record, at: str | None) -> Iterator[Event]:
    match block.get("type"):
        case "text":
            yield Event("user", "message", string(block, "text"), at=at)
        case "tool_result":
            yield Event("tool", "tool_result", words(block.get("content")), at=at, failed=block.get("is_error") is True)
