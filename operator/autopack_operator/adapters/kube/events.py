"""Kubernetes Events: best effort, in the background, never in the way of a reconcile."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from datetime import UTC, datetime

from autopack_operator.adapters.kube.connection import Connection, path
from autopack_operator.domain.api.common import API_VERSION, JsonDict
from autopack_operator.domain.times import micro_time
from autopack_operator.domain.views import BatchView, RunView
from autopack_operator.ports.cluster import AlreadyExistsError, ApiError

log = logging.getLogger(__name__)
EVENTS = "events.k8s.io/v1"
BACKLOG = 5000
"""Events that wait at most: so many runs may end at once under a bound on requests, and are told of afterwards."""

MAX_NOTE = 1000


class KubeEvents:
    """Implements ports.cluster.Events."""

    def __init__(self, connection: Connection, reporter: str) -> None:
        self._connection, self._reporter = connection.in_spare_time(), reporter
        self._waiting: asyncio.Queue[JsonDict] = asyncio.Queue(BACKLOG)
        self._dropped = 0

    def record(self, subject: RunView | BatchView, reason: str, message: str, *, warning: bool = False) -> None:
        """Queue it; with a full backlog the oldest event is dropped, which says least about how things are now."""
        if self._waiting.full():
            self._waiting.get_nowait()
            self._dropped += 1
        self._waiting.put_nowait(self._event(subject, reason, message, warning=warning))

    async def run(self) -> None:
        """Send what was queued, until canceled."""
        while True:
            event = await self._waiting.get()
            try:
                await self._connection.request("POST", path(EVENTS, event["metadata"]["namespace"], "events"), event)
            except AlreadyExistsError:
                continue  # the same transition, told before a crash
            except ApiError as error:
                log.warning("event not recorded: %s", error)
            if self._dropped:
                log.warning("%d events were dropped: the requests of reconciles left no time for them", self._dropped)
                self._dropped = 0

    def _event(self, subject: RunView | BatchView, reason: str, message: str, *, warning: bool) -> JsonDict:
        # The name follows from what is told, so that telling it twice makes one object.
        told = f"{subject.uid}/{subject.status.phase}/{reason}/{getattr(subject.status, 'attempt', 0)}"
        return {
            "apiVersion": EVENTS,
            "kind": "Event",
            "metadata": {
                "name": f"{subject.name[:200].rstrip('-.')}.{hashlib.sha256(told.encode()).hexdigest()[:16]}",
                "namespace": subject.namespace,
            },
            "eventTime": micro_time(datetime.now(UTC)),
            "reportingController": "autopack.dev/operator",
            "reportingInstance": self._reporter[:128],
            "action": "Reconcile",
            "type": "Warning" if warning else "Normal",
            "reason": reason[:128],
            "note": message.encode()[:MAX_NOTE].decode(errors="ignore") or reason,
            "regarding": {
                "apiVersion": API_VERSION,
                "kind": subject.kind,
                "name": subject.name,
                "namespace": subject.namespace,
                "uid": subject.uid,
            },
        }
