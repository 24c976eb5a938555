"""What the pages need from the world."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from autopack.errors import AutopackError
from autopack.inside import Found
from autopack.merge_forecast import MergeForecast
from autopack.registry.reader import RunDetail, RunSummary


class NotThereError(AutopackError):
    """The files have nothing of that name, or cannot tell now; the message is for people."""


@dataclass(frozen=True)
class Listing:
    """The artifacts of an attempt; `final` once they can no longer change."""

    artifacts: list[Found]
    final: bool
    truncated: bool


@dataclass(frozen=True)
class Text:
    """A piece of a file: `data` begins at `offset` of `size` bytes."""

    data: bytes
    offset: int
    size: int


@dataclass(frozen=True)
class Patch:
    """What an attempt changed, as `git diff` prints it."""

    data: bytes
    base: str
    tip: str
    truncated: bool


@dataclass(frozen=True)
class Download:
    """A file on its way to the browser: its size in bytes (None if unknown) and its pieces."""

    size: int | None
    pieces: AsyncIterator[bytes]


class Files(Protocol):
    """The files of runs. Methods raise NotThereError."""

    async def listing(self, run: RunDetail, attempt: int) -> Listing:
        """Return what an attempt left."""
        ...

    async def log(self, run: RunDetail, attempt: int, stream: str, tail: int) -> Text:
        """Return the last `tail` bytes of `stdout` or `stderr`."""
        ...

    async def content(self, run: RunDetail, attempt: int, path: str, limit: int) -> bytes:
        """Return a small artifact; one of more than `limit` bytes is refused."""
        ...

    async def download(self, run: RunDetail, attempt: int, path: str) -> Download:
        """Open an artifact of any size."""
        ...

    async def patch(self, run: RunDetail, attempt: int, limit: int) -> Patch:
        """Return what an attempt changed, at most so many bytes."""
        ...

    async def forecast(self, runs: list[RunSummary]) -> MergeForecast | None:
        """Try how the branches of runs merge, by the runs' names; None while that is being tried."""
        ...
