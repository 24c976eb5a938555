"""OpenAI's Chat Completions API."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

from tests.doubles.models.conversation import Answer, JsonDict, Request, Tool, text_of, turns_in

DONE = b"data: [DONE]\n\n"


def read(body: JsonDict) -> Request:
    """Read the body of a request."""
    messages: list[JsonDict] = body["messages"]
    functions = [tool["function"] for tool in body.get("tools") or () if tool["type"] == "function"]
    return Request(
        model=body["model"],
        stream=bool(body.get("stream")),
        tools=[Tool(function["name"], function.get("parameters", {})) for function in functions],
        turn=turns_in(one["role"] == "assistant" for one in messages),
        prompt="\n".join(text_of(one.get("content")) for one in messages if one["role"] != "assistant"),
        usage_asked=bool((body.get("stream_options") or {}).get("include_usage")),
    )


def whole(request: Request, answer: Answer) -> JsonDict:
    """Return the answer as one document."""
    message: JsonDict = {"role": "assistant", "content": answer.text, "refusal": None}
    if answer.arguments is not None:
        message["tool_calls"] = [_call(answer)]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _reason(answer)}
    return {**_head(request, "chat.completion"), "choices": [choice], "usage": _usage(answer)}


def events(request: Request, answer: Answer) -> Iterator[JsonDict]:
    """Yield the answer as a stream; the last chunk tells the usage, as with `stream_options.include_usage`."""
    head = {**_head(request, "chat.completion.chunk"), "usage": None}
    deltas: list[JsonDict] = [{"role": "assistant", "content": ""}, {"content": answer.text}]
    if answer.arguments is not None:
        deltas.append({"tool_calls": [{"index": 0, **_call(answer)}]})
    for delta in deltas:
        yield {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": _reason(answer)}]}
    yield {**head, "choices": [], "usage": _usage(answer)}


def frame(event: JsonDict) -> bytes:
    """Return one event as it goes over the wire."""
    return f"data: {json.dumps(event)}\n\n".encode()


def _head(request: Request, kind: str) -> JsonDict:
    identity = f"chatcmpl-{uuid.uuid4().hex}"
    return {"id": identity, "object": kind, "created": 1767225600, "model": request.model, "system_fingerprint": None}


def _call(answer: Answer) -> JsonDict:
    function = {"name": answer.tool, "arguments": json.dumps(answer.arguments)}
    return {"id": f"call_{uuid.uuid4().hex}", "type": "function", "function": function}


def _reason(answer: Answer) -> str:
    return "stop" if answer.arguments is None else "tool_calls"


def _usage(answer: Answer) -> JsonDict:
    usage = answer.usage
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
