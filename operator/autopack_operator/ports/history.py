"""The registry, as the application uses it: told of every status, and never waited for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from autopack_operator.domain.views import BatchView, RunView


class History(Protocol):
    """Takes notes. Every call returns at once and never raises, whatever the database does."""

    def note(self, view: RunView | BatchView) -> None:
        """A status was written, or seen; one that was noted before adds nothing."""
        ...

    def note_all(self, views: Iterable[RunView | BatchView]) -> None:
        """Everything there is, in whole: closes the gaps that a crash may have left."""
        ...
