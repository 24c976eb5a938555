"""Writing many rows, of which one may be poisoned: it is left out and said, and never blocks the others."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Protocol

from autopack.errors import AutopackError
from autopack.registry.events import BatchEvent, RunEvent
from autopack.registry.failures import RowRefused
from autopack.registry.spill import Event

log = logging.getLogger(__name__)


class Recorder(Protocol):
    """The registry: `autopack.registry.store.Registry` is the one there is."""

    def record(self, events: Iterable[RunEvent], batches: Iterable[BatchEvent] = ()) -> None:
        """Write all or nothing; doing so again changes nothing.

        Raises RowRefused, or ValueError of the driver, for what a row holds; AutopackError for all else.
        """
        ...

    def versions(self) -> dict[str, int]:
        """The version of each row, by UID. Raises AutopackError when it cannot be told."""
        ...

    def upgrade(self) -> bool:
        """Make the tables; True if they were not there. Raises AutopackError when the database is away."""
        ...


def write(registry: Recorder, events: Sequence[Event]) -> bool:
    """Write events; True if the tables had to be made.

    Raises AutopackError when the database takes no row at all: it is away, full, read-only, or grants no right.
    """
    try:
        registry.record(
            [event for event in events if isinstance(event, RunEvent)],
            [event for event in events if isinstance(event, BatchEvent)],
        )
    except (RowRefused, ValueError) as error:
        if len(events) == 1:
            log.error("registry: the row of %s is refused and left out: %s", _name(events[0]), error)
            return False
        middle = len(events) // 2
        write(registry, events[:middle])
        write(registry, events[middle:])
    except AutopackError:
        # Without tables it can be helped.
        if not registry.upgrade():
            raise
        write(registry, events)
        return True
    return False


def _name(event: Event) -> str:
    return event.facts.run_id if isinstance(event, RunEvent) else event.facts.batch_id
