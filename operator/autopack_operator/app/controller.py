"""Workers between the queue and the reconcilers. A key that fails comes back later and never blocks the others."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping

from autopack_operator.app.queue import QueueClosedError, WorkQueue
from autopack_operator.domain.keys import Key, Kind
from autopack_operator.ports.cluster import ConflictError, TransientError
from autopack_operator.ports.telemetry import Telemetry

log = logging.getLogger(__name__)

Reconcile = Callable[[Key], Awaitable[float | None]]
"""Reconciles one key; returns the seconds after which it wants to be called again, or None."""


class Controller:
    """A bounded number of workers."""

    def __init__(
        self, queue: WorkQueue[Key], reconcilers: Mapping[Kind, Reconcile], telemetry: Telemetry, workers: int
    ) -> None:
        self._queue, self._reconcilers, self._telemetry, self._workers = queue, reconcilers, telemetry, workers

    def crowded(self) -> bool:
        """More keys wait for a worker than there are workers."""
        return self._queue.depth() > self._workers

    async def run(self) -> None:
        """Work until the queue is closed and the keys in work are finished."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work())

    async def _work(self) -> None:
        with contextlib.suppress(QueueClosedError):
            while True:
                key = await self._queue.get()
                try:
                    await self._reconcile(key)
                finally:
                    self._queue.done(key)

    async def _reconcile(self, key: Key) -> None:
        try:
            with self._telemetry.reconcile(key.kind):
                again = await self._reconcilers[key.kind](key)
        except ConflictError:
            # Our view was stale; the event that makes it fresh is on its way, this is for the case that it is lost.
            self._queue.retry(key)
        except TransientError as error:
            delay = self._queue.retry(key)
            log.warning("%s %s/%s: %s; again in %.1f s", key.kind, key.namespace, key.name, error, delay)
        except Exception:
            # One poisonous object must not end the worker that serves all the others (invariant 10).
            delay = self._queue.retry(key)
            log.exception("%s %s/%s: reconcile failed; again in %.1f s", key.kind, key.namespace, key.name, delay)
        else:
            self._queue.forget(key)
            if again is not None:
                self._queue.add_after(key, again)
