"""How an answer's usage is read while it passes: as a stream of events, or as one document."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from autopack_gateway.service.money.tokens import Tokens

from .sse import Splitter, data_of

LARGEST_DOCUMENT = 64 << 20
"""How much of a whole answer is looked at; a longer one passes, and counts as reserved."""


class Told:
    """What an answer has told so far. `complete`: the last word about the usage is among it."""

    def __init__(self) -> None:
        self.tokens = Tokens()
        self.complete = False

    def settled(self, reserved: Tokens) -> tuple[Tokens, bool]:
        """Return the tokens that count, and whether they had to be taken from what was reserved.

        Of an answer that broke off, the provider may have made more than it sent: the whole of what was reserved
        counts, and what it told if that is more.
        """
        if self.complete:
            return self.tokens, False
        told = self.tokens
        return told._replace(input=max(told.input, reserved.input), output=max(told.output, reserved.output)), True


Note = Callable[[Told, Mapping[str, Any]], bool]
"""Notes what a document of an API tells; returns whether a client that did not ask for it should not see it."""


class Reader(Protocol):
    """Looks at an answer while it passes, piece by piece."""

    told: Told

    def feed(self, piece: bytes) -> bytes:
        """Return what of this piece, and of earlier ones, is to be sent on."""
        ...

    def end(self) -> bytes:
        """The answer has ended; return what is left to be sent on."""
        ...


class EventReader:
    """Reads a stream of events. With `hide`, what `note` says that the client should not see is taken out."""

    def __init__(self, note: Note, *, hide: bool = False) -> None:
        self.told = Told()
        self._note, self._hide, self._splitter = note, hide, Splitter()

    def feed(self, piece: bytes) -> bytes:
        """See Reader."""
        kept = [event for event in self._splitter.feed(piece) if not self._look(event)]
        return b"".join(kept) if self._hide else piece

    def end(self) -> bytes:
        """See Reader."""
        rest = self._splitter.end()
        return b"" if (self._look(rest) or not self._hide) else rest

    def _look(self, event: bytes) -> bool:
        # Most events are words of the answer, and not worth being parsed.
        if b'"usage"' not in event:
            return False
        document = _object(data_of(event))
        return document is not None and self._note(self.told, document)


class DocumentReader:
    """Reads an answer that is one JSON document."""

    def __init__(self, note: Note) -> None:
        self.told = Told()
        self._note, self._held = note, bytearray()

    def feed(self, piece: bytes) -> bytes:
        """See Reader."""
        if len(self._held) <= LARGEST_DOCUMENT:
            self._held += piece
        return piece

    def end(self) -> bytes:
        """See Reader."""
        document = _object(bytes(self._held)) if len(self._held) <= LARGEST_DOCUMENT else None
        if document is not None:
            self._note(self.told, document)
        return b""


def count(usage: Mapping[str, Any], *path: str) -> int:
    """Return a number of a usage, 0 where there is none."""
    value: Any = usage
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _object(data: bytes) -> Mapping[str, Any] | None:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
