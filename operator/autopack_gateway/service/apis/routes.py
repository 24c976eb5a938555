"""What of each API passes: the requests that can be accounted for, and a few that cost nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from . import anthropic, openai
from .asked import Asked
from .usage import DocumentReader, EventReader, Note, Reader


class Api(StrEnum):
    """The API that a provider speaks."""

    ANTHROPIC = "anthropic"
    OPENAI = "openai"
    OPENAI_COMPATIBLE = "openai-compatible"


class Route(NamedTuple):
    """A request that costs. `streams_silently`: its stream tells the usage only when asked."""

    asked: Callable[[Mapping[str, Any], int], Asked]
    note: Note
    streams_silently: bool = False

    def prepared(self, document: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the request as it must be sent so that its usage is told; None: as it is."""
        silent = self.streams_silently and document.get("stream") and not openai.wants_usage(document)
        return openai.with_usage(document) if silent else None

    def reader(self, content_type: str, *, hide: bool) -> Reader:
        """Return what reads the answer; with `hide` it takes out what only we asked for."""
        if content_type.startswith("text/event-stream"):
            return EventReader(self.note, hide=hide)
        return DocumentReader(self.note)


_ANTHROPIC = {"v1/messages": Route(anthropic.asked, anthropic.note)}
_OPENAI = {
    "v1/chat/completions": Route(openai.chat, openai.note_chat, streams_silently=True),
    "v1/completions": Route(openai.chat, openai.note_chat, streams_silently=True),
    "v1/embeddings": Route(openai.embeddings, openai.note_chat),
    "v1/responses": Route(openai.responses, openai.note_responses),
}
_MODELS = re.compile(r"v1/models(/[A-Za-z0-9][A-Za-z0-9._:@-]*)?")


def route_of(api: Api, method: str, path: str) -> Route | None:
    """Return the route of a request that costs; None when it is none of these."""
    if method != "POST":
        return None
    return (_ANTHROPIC if api is Api.ANTHROPIC else _OPENAI).get(path)


def is_free(api: Api, method: str, path: str) -> bool:
    """Tell whether a request passes without being accounted for."""
    if method == "GET":
        return _MODELS.fullmatch(path) is not None
    return api is Api.ANTHROPIC and method == "POST" and path == "v1/messages/count_tokens"


def address(api: Api, upstream: str, path: str) -> str:
    """Return the address at the upstream, which is a base address as clients of the API take it.

    OpenAI's has the version in it (https://api.openai.com/v1); Anthropic's has not.
    """
    base = upstream.rstrip("/")
    has_path = "/" in base.partition("://")[2]
    return f"{base}/{path.removeprefix('v1/') if api is not Api.ANTHROPIC and has_path else path}"
