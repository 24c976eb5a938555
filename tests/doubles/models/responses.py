"""OpenAI's Responses API."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from itertools import count

from tests.doubles.models.conversation import Answer, JsonDict, Request, Tool, text_of, turns_in


def read(body: JsonDict) -> Request:
    """Read the body of a request. The input has to hold the conversation: `previous_response_id` is not known here."""
    given = body["input"]
    items: list[JsonDict] = [{"role": "user", "content": given}] if isinstance(given, str) else given
    asked = [str(body.get("instructions") or ""), *(text_of(item.get("content")) for item in items if not _made(item))]
    return Request(
        model=body["model"],
        stream=bool(body.get("stream")),
        tools=[
            Tool(tool["name"], tool.get("parameters") or {})
            for tool in body.get("tools") or ()
            if tool["type"] == "function"
        ],
        turn=turns_in(map(_made, items)),
        prompt="\n".join(asked),
    )


def whole(request: Request, answer: Answer) -> JsonDict:
    """Return the answer as one document."""
    return _response(request, f"resp_{uuid.uuid4().hex}", "completed", _items(answer), _usage(answer))


def events(request: Request, answer: Answer) -> Iterator[JsonDict]:
    """Yield the answer as a stream."""
    identity, numbers = f"resp_{uuid.uuid4().hex}", count()
    items = _items(answer)

    def event(kind: str, **data: object) -> JsonDict:
        return {"type": f"response.{kind}", "sequence_number": next(numbers), **data}

    for kind in ("created", "in_progress"):
        yield event(kind, response=_response(request, identity, "in_progress", [], None))
    for index, item in enumerate(items):
        where = {"output_index": index, "item_id": item["id"]}
        yield event("output_item.added", output_index=index, item={**item, **_emptied(item), "status": "in_progress"})
        if item["type"] == "message":
            (part,) = item["content"]
            within = {**where, "content_index": 0}
            yield event("content_part.added", **within, part={**part, "text": ""})
            yield event("output_text.delta", **within, delta=part["text"], logprobs=[])
            yield event("output_text.done", **within, text=part["text"], logprobs=[])
            yield event("content_part.done", **within, part=part)
        else:
            yield event("function_call_arguments.delta", **where, delta=item["arguments"])
            yield event("function_call_arguments.done", **where, name=item["name"], arguments=item["arguments"])
        yield event("output_item.done", output_index=index, item=item)
    yield event("completed", response=_response(request, identity, "completed", items, _usage(answer)))


def frame(event: JsonDict) -> bytes:
    """Return one event as it goes over the wire."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _made(item: JsonDict) -> bool:
    """Whether the model made this item of a conversation, rather than the user or a tool."""
    kind = item.get("type", "message")
    return item.get("role") == "assistant" if kind == "message" else not kind.endswith("_output")


def _items(answer: Answer) -> list[JsonDict]:
    part = {"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []}
    items: list[JsonDict] = [
        {
            "id": f"msg_{uuid.uuid4().hex}",
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [part],
        }
    ]
    if answer.arguments is not None:
        items.append(
            {
                "id": f"fc_{uuid.uuid4().hex}",
                "type": "function_call",
                "status": "completed",
                "call_id": f"call_{uuid.uuid4().hex}",
                "name": answer.tool,
                "arguments": json.dumps(answer.arguments),
            }
        )
    return items


def _emptied(item: JsonDict) -> JsonDict:
    return {"content": []} if item["type"] == "message" else {"arguments": ""}


def _response(request: Request, identity: str, status: str, output: list[JsonDict], usage: JsonDict | None) -> JsonDict:
    return {
        "id": identity,
        "object": "response",
        "created_at": 1767225600,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": request.model,
        "output": output,
        "parallel_tool_calls": False,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": usage,
    }


def _usage(answer: Answer) -> JsonDict:
    usage = answer.usage
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.input + usage.output,
    }
