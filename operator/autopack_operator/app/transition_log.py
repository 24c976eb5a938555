"""Tells people about transitions: one Kubernetes Event, one log line and one count each, never for a repeat."""

from __future__ import annotations

import logging

from autopack_operator.domain.views import BatchView, RunView
from autopack_operator.ports.cluster import Events
from autopack_operator.ports.history import History, NoHistory
from autopack_operator.ports.telemetry import Telemetry

log = logging.getLogger(__name__)

_BAD = frozenset({"Failed", "Refused"})


class TransitionLog:
    """Compares a status before and after a write. The registry is told of every write."""

    def __init__(self, events: Events, telemetry: Telemetry, history: History | None = None) -> None:
        self._events, self._telemetry = events, telemetry
        self._history = history or NoHistory()

    def run_changed(self, before: RunView, after: RunView) -> None:
        """A run's status was written."""
        self._history.note(after)
        old, new = before.status, after.status
        if (old.phase, old.reason, old.attempt) == (new.phase, new.reason, new.attempt):
            return
        log.info(
            "run %s: %s %s",
            after.name,
            new.phase,
            new.reason,
            extra={"run": after.name, "runUID": after.uid, "attempt": new.attempt},
        )
        if after.terminal and not before.terminal:
            self._telemetry.run_finished(new.phase)
        if after.terminal or new.reason == "Retrying":
            message = new.message or f"attempt {new.attempt}"
            self._events.record(after, new.reason, message, warning=new.phase in _BAD or new.reason == "Retrying")

    def batch_changed(self, before: BatchView, after: BatchView) -> None:
        """A batch's status was written."""
        self._history.note(after)
        old, new = before.status, after.status
        if (old.phase, old.reason) == (new.phase, new.reason):
            return
        log.info("batch %s: %s %s (%s)", after.name, new.phase, new.reason, new.progress)
        self._events.record(after, new.reason, new.message or new.progress, warning=new.phase in _BAD)
