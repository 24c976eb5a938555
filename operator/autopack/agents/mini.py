"""mini-swe-agent: the trajectory that `mini -o FILE` writes again after every step, one JSON document.

What its messages look like depends on the API that it talks to its model with; what it adds in `extra` does not.
"""

from __future__ import annotations

from collections.abc import Iterator

from .events import Event
from .fields import Record, child, moment, objects, record, string, words
from .usage import Usage, count, micro

_DONE = "Submitted"


class Mini:
    """Implements formats.Adapter; the document is its one line."""

    def __init__(self) -> None:
        self.usage = Usage()

    def read(self, line: bytes) -> Iterator[Event]:
        """See formats.Adapter."""
        document = record(line)
        info = child(document, "info")
        stats = child(info, "model_stats")
        calls, cost = count(stats.get("api_calls")), micro(stats.get("instance_cost"))
        total = Usage(requests=calls, turns=calls, micro_usd=cost)
        for message in objects(document.get("messages")):
            extra = child(message, "extra")
            used = _tokens(child(message, "usage") or child(child(extra, "response"), "usage"))
            total = total.plus(used)
            yield from _said(message, extra, used)
        self.usage = total
        ended = string(info, "exit_status")
        if ended in (_DONE, ""):
            yield Event("assistant", "usage", usage=total)
        else:
            yield Event("assistant", "error", ended, failed=True, usage=total)


def _tokens(used: Record) -> Usage:
    """Of a chat completion, or of the newer API's response."""
    sent, answered = used.get("prompt_tokens"), used.get("completion_tokens")
    details = child(used, "prompt_tokens_details") or child(used, "input_tokens_details")
    return Usage(
        input_tokens=count(used.get("input_tokens") if sent is None else sent),
        output_tokens=count(used.get("output_tokens") if answered is None else answered),
        cached_tokens=count(details.get("cached_tokens")),
    )


def _said(message: Record, extra: Record, used: Usage) -> Iterator[Event]:
    at, role = moment(extra.get("timestamp")), message.get("role")
    if "raw_output" in extra:
        failed = extra.get("returncode") not in (0, None)
        yield Event("tool", "tool_result", string(extra, "raw_output"), "bash", at, failed)
    elif role == "assistant" or message.get("object") == "response":
        answers = [words(one.get("content")) for one in objects(message.get("output")) if one.get("type") == "message"]
        yield Event("assistant", "message", words(message.get("content")) or "\n".join(answers), at=at, usage=used)
        for action in objects(extra.get("actions")):
            yield Event("assistant", "tool_call", string(action, "command"), "bash", at)
    elif role in ("system", "user"):
        yield Event("system" if role == "system" else "user", "message", words(message.get("content")), at=at)
