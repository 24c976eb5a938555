"""opencode: `opencode run --format json`. Parts of messages as they are complete; each step ends with its tokens."""

from __future__ import annotations

from collections.abc import Iterator

from .events import Event
from .fields import Record, child, moment, record, string, words
from .usage import Usage, count, micro

_MILLISECONDS = 0.001


class Opencode:
    """Implements formats.Adapter."""

    def __init__(self) -> None:
        self.usage = Usage()

    def read(self, line: bytes) -> Iterator[Event]:
        """See formats.Adapter."""
        said = record(line)
        part, at = child(said, "part"), moment(said.get("timestamp"), _MILLISECONDS)
        match said.get("type"):
            case "text":
                yield Event("assistant", "message", string(part, "text"), at=at)
            case "reasoning":
                yield Event("assistant", "reasoning", string(part, "text"), at=at)
            case "tool_use":
                yield from _used(part, at)
            case "step_finish":
                used = _step(part)
                self.usage = self.usage.plus(used)
                yield Event("assistant", "usage", at=at, usage=used)
            case "error":
                error = child(said, "error")
                message = string(child(error, "data"), "message") or string(error, "name")
                yield Event("assistant", "error", message, at=at, failed=True)


def _used(part: Record, at: str | None) -> Iterator[Event]:
    """A tool's call comes with its answer."""
    state, tool = child(part, "state"), string(part, "tool")
    broken = state.get("status") == "error"
    failed = broken or child(state, "metadata").get("exit") not in (0, None)
    yield Event("assistant", "tool_call", words(state.get("input")), tool, at)
    yield Event("tool", "tool_result", string(state, "error" if broken else "output"), tool, at, failed)


def _step(part: Record) -> Usage:
    """What is read from the cache or written to it is no part of the input there, reasoning none of the output."""
    tokens = child(part, "tokens")
    cache = child(tokens, "cache")
    parts = (
        Usage(input_tokens=count(tokens.get("input")), output_tokens=count(tokens.get("output"))),
        Usage(input_tokens=count(cache.get("read")), output_tokens=count(tokens.get("reasoning"))),
        Usage(input_tokens=count(cache.get("write"))),
    )
    total = Usage(requests=1, turns=1, cached_tokens=count(cache.get("read")), micro_usd=micro(part.get("cost")))
    for one in parts:
        total = total.plus(one)
    return total
