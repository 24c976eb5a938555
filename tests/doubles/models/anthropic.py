"""Anthropic's Messages API."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

from tests.doubles.models.conversation import Answer, JsonDict, Request, Tool, text_of, turns_in

_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
OVERLOADED = 529


def read(body: JsonDict) -> Request:
    """Read the body of a request."""
    messages: list[JsonDict] = body["messages"]
    asked = [text_of(body.get("system")), *(text_of(one["content"]) for one in messages if one["role"] != "assistant")]
    return Request(
        model=body["model"],
        stream=bool(body.get("stream")),
        # Tools that the server itself executes (web search for example) have no schema.
        tools=[Tool(tool["name"], tool["input_schema"]) for tool in body.get("tools", ()) if "input_schema" in tool],
        turn=turns_in(one["role"] == "assistant" for one in messages),
        prompt="\n".join(asked),
    )


def whole(request: Request, answer: Answer) -> JsonDict:
    """Return the answer as one document."""
    return {**_begun(request, answer), "content": _content(answer), **_ended(answer), "usage": _usage(answer)}


def events(request: Request, answer: Answer) -> Iterator[tuple[str, JsonDict]]:
    """Yield the answer as a stream, (event, data)."""
    yield "message_start", {"message": {**_begun(request, answer), "content": [], "usage": _usage(answer, output=1)}}
    for index, block in enumerate(_content(answer)):
        if block["type"] == "text":
            empty, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            empty = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield "content_block_start", {"index": index, "content_block": empty}
        yield "content_block_delta", {"index": index, "delta": delta}
        yield "content_block_stop", {"index": index}
    yield "message_delta", {"delta": _ended(answer), "usage": {"output_tokens": answer.usage.output}}
    yield "message_stop", {}


def frame(event: tuple[str, JsonDict]) -> bytes:
    """Return one event as it goes over the wire."""
    name, data = event
    return f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode()


def models(names: list[str]) -> JsonDict:
    """Return the list of models."""
    listed = [
        {"type": "model", "id": name, "display_name": name, "created_at": "2026-01-01T00:00:00Z"} for name in names
    ]
    return {"data": listed, "has_more": False, "first_id": names[0], "last_id": names[-1]}


def error(status: int, message: str) -> JsonDict:
    """Return the body of a refusal."""
    return {
        "type": "error",
        "error": {"type": _ERRORS[status], "message": message},
        "request_id": f"req_{uuid.uuid4().hex}",
    }


def _begun(request: Request, answer: Answer) -> JsonDict:
    return {
        "id": f"msg_{uuid.uuid4().hex}",
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "stop_reason": None,
        "stop_sequence": None,
    }


def _content(answer: Answer) -> list[JsonDict]:
    content: list[JsonDict] = [{"type": "text", "text": answer.text}]
    if answer.arguments is not None:
        identity = f"toolu_{uuid.uuid4().hex}"
        content.append({"type": "tool_use", "id": identity, "name": answer.tool, "input": dict(answer.arguments)})
    return content


def _ended(answer: Answer) -> JsonDict:
    return {"stop_reason": "end_turn" if answer.arguments is None else "tool_use", "stop_sequence": None}


def _usage(answer: Answer, output: int | None = None) -> JsonDict:
    """Here what comes from the cache is told beside `input_tokens`, not within it."""
    usage = answer.usage
    return {
        "input_tokens": usage.input - usage.cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached,
        "output_tokens": usage.output if output is None else output,
    }
