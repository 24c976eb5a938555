"""Tells people about transitions: one Kubernetes Event, one log line and one count each, never for a repeat."""

from __future__ import annotations

import logging

from autopack.phases import Phase
from autopack_operator.domain import usage
from autopack_operator.domain.api.status import DeliveryStatus
from autopack_operator.domain.conditions import ConditionType, is_true
from autopack_operator.domain.delivery.state import FINAL, State
from autopack_operator.domain.run.verdict import worktree_seconds
from autopack_operator.domain.views import BatchView, PodView, RunView
from autopack_operator.ports.cluster import Events
from autopack_operator.ports.history import History
from autopack_operator.ports.telemetry import Telemetry

log = logging.getLogger(__name__)

_BAD = frozenset({Phase.FAILED, Phase.REFUSED})
_NOT_DELIVERED = FINAL - {State.DELIVERED}


class TransitionLog:
    """Compares a status before and after a write. The registry is told of every write."""

    def __init__(self, events: Events, telemetry: Telemetry, history: History) -> None:
        self._events, self._telemetry, self._history = events, telemetry, history

    def run_changed(self, before: RunView, after: RunView, pod: PodView | None) -> None:
        """A run's status was written; `pod` is its attempt's, if known."""
        self._history.note(after)
        if pod is not None and _worktree_ready(after) and not _worktree_ready(before):
            seconds = worktree_seconds(pod)
            if seconds is not None:
                self._telemetry.worktree_ready(seconds)
        old, new = before.status, after.status
        self._delivery_changed(after, old.delivery, new.delivery)
        if new.usage != old.usage:
            self._telemetry.agent_used(usage.numbers(new.usage).since(usage.numbers(old.usage)))
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

    def _delivery_changed(self, run: RunView, old: DeliveryStatus | None, new: DeliveryStatus | None) -> None:
        if new is None or (old is not None and (old.state, old.reason) == (new.state, new.reason)):
            return
        log.info("run %s: delivery %s %s", run.name, new.state, new.reason, extra={"run": run.name, "runUID": run.uid})
        if old is not None and old.state == new.state:
            return
        if new.state != State.PENDING:
            link = f" ({new.pull_request.url})" if new.pull_request is not None else ""
            told = "Delivered" if new.state == State.DELIVERED else f"Delivery{new.state}"
            message = f"{new.message or f'{new.commit[:12]} is on the branch {new.branch}'}{link}"
            self._events.record(run, told, message, warning=new.state in _NOT_DELIVERED)
        if new.state in FINAL:
            self._telemetry.delivery_ended(new.state)

    def delivery_lost(self, run: RunView) -> None:
        """A run is deleted before its delivery came to an end."""
        delivery = run.status.delivery
        where = f" to the branch {delivery.branch}" if delivery is not None and delivery.branch else ""
        kept = run.status.ref or "no ref"
        message = f"deleted before its work was delivered{where}; its commits stay on the volume, at {kept}"
        log.warning("run %s: %s", run.name, message, extra={"run": run.name, "runUID": run.uid})
        self._events.record(run, "DeliveryLost", message, warning=True)

    def batch_changed(self, before: BatchView, after: BatchView) -> None:
        """A batch's status was written."""
        self._history.note(after)
        old, new = before.status, after.status
        if (old.phase, old.reason) == (new.phase, new.reason):
            return
        log.info("batch %s: %s %s (%s)", after.name, new.phase, new.reason, new.progress)
        self._events.record(after, new.reason, new.message or new.progress, warning=new.phase in _BAD)


def _worktree_ready(run: RunView) -> bool:
    return is_true(run.status.conditions, ConditionType.WORKTREE_READY)
