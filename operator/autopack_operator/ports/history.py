"""The registry, as the application uses it: told of every status, and never waited for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from autopack_operator.domain.views import BatchView, RunView


class History(Protocol):
    """Takes notes. A note returns at once and never raises, whatever the database does."""

    async def recall(self) -> None:
        """Learn what earlier processes noted; a database that is away is not waited for."""
        ...

    def note(self, view: RunView | BatchView) -> None:
        """A status was written, or seen; one that was noted before adds nothing."""
        ...

    def note_all(self, views: Iterable[RunView | BatchView]) -> None:
        """Everything there is, in whole: closes the gaps that a crash may have left."""
        ...

    async def run(self) -> None:
        """Write what was noted, until canceled."""
        ...

    async def close(self) -> None:
        """Write what waits, or put it on disk, within seconds."""
        ...
