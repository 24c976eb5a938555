"""Anthropic's Messages API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autopack_gateway.service.money.tokens import Tokens

from .asked import Asked, bound, input_of, model_in
from .usage import Told, count


def asked(document: Mapping[str, Any], size: int) -> Asked:
    """Read a request."""
    return Asked(model_in(document), input_of(size), bound(document, "max_tokens"))


def note(told: Told, document: Mapping[str, Any]) -> bool:
    """Note the usage of a whole answer, of `message_start`, or of `message_delta`, whose numbers are sums so far."""
    kind = document.get("type")
    message = document.get("message") if kind == "message_start" else document
    usage = message.get("usage") if isinstance(message, Mapping) else None
    if isinstance(usage, Mapping):
        cached, written = count(usage, "cache_read_input_tokens"), count(usage, "cache_creation_input_tokens")
        # What comes from the cache and what goes there is told beside `input_tokens` here, not within it.
        new = Tokens(count(usage, "input_tokens") + cached + written, count(usage, "output_tokens"), cached, written)
        told.tokens = Tokens(*map(max, told.tokens, new))
        told.complete = kind in {"message", "message_delta"}
    return False
