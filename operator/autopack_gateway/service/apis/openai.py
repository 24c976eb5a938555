"""OpenAI's APIs, which many others speak: Chat Completions, Completions, Embeddings, Responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autopack.errors import InvalidInput
from autopack_gateway.service.money.tokens import Tokens

from .asked import Asked, bound, input_of, model_in
from .usage import Told, count


def chat(document: Mapping[str, Any], size: int) -> Asked:
    """Read a request for (chat) completions, of which several may be asked for at once."""
    most = bound(document, "max_completion_tokens", "max_tokens")
    choices = max(bound(document, "n") or 1, bound(document, "best_of") or 1)
    return Asked(model_in(document), input_of(size), None if most is None else most * choices)


def embeddings(document: Mapping[str, Any], size: int) -> Asked:
    """Read a request for embeddings, which have no output that costs."""
    return Asked(model_in(document), input_of(size), 0)


def responses(document: Mapping[str, Any], size: int) -> Asked:
    """Read a request for a response; its answer must tell the usage."""
    if document.get("background"):
        raise InvalidInput("background", "cannot be used here: the answer would not tell what it cost", "Leave it out")
    return Asked(model_in(document), input_of(size), bound(document, "max_output_tokens"))


def wants_usage(document: Mapping[str, Any]) -> bool:
    """Tell whether a streamed chat asks for its usage itself."""
    options = document.get("stream_options")
    return isinstance(options, Mapping) and bool(options.get("include_usage"))


def with_usage(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request of a streamed chat so that its usage is told."""
    options = document.get("stream_options")
    return {**document, "stream_options": {**(options if isinstance(options, Mapping) else {}), "include_usage": True}}


def note_chat(told: Told, document: Mapping[str, Any]) -> bool:
    """Note the usage of a whole answer or of a chunk. The chunk that has nothing else is for those who asked for it."""
    usage = document.get("usage")
    if not isinstance(usage, Mapping):
        return False
    told.tokens = Tokens(
        count(usage, "prompt_tokens"),
        count(usage, "completion_tokens"),
        count(usage, "prompt_tokens_details", "cached_tokens"),
    )
    told.complete = True
    return not document.get("choices")


def note_responses(told: Told, document: Mapping[str, Any]) -> bool:
    """Note the usage of a whole response, or of the event that ends one."""
    response = document.get("response", document)
    usage = response.get("usage") if isinstance(response, Mapping) else None
    if isinstance(usage, Mapping):
        told.tokens = Tokens(
            count(usage, "input_tokens"),
            count(usage, "output_tokens"),
            count(usage, "input_tokens_details", "cached_tokens"),
        )
        told.complete = True
    return False
