"""Compares the cache with live lists now and then: watches lose events, and silence looks like peace."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable

from autopack_operator.cache import Cache
from autopack_operator.domain.keys import Key, Kind
from autopack_operator.ports.clock import Clock
from autopack_operator.ports.cluster import ApiError, Lister
from autopack_operator.ports.history import History

log = logging.getLogger(__name__)

JITTER = 0.2
RETRY_SECONDS = 15.0


class Resync:
    """One task of the leader."""

    def __init__(
        self,
        lister: Lister,
        cache: Cache,
        enqueue: Callable[[Key], None],
        clock: Clock,
        interval_seconds: float,
        history: History,
    ) -> None:
        self._lister, self._cache, self._enqueue, self._clock = lister, cache, enqueue, clock
        self.interval_seconds = interval_seconds
        self._history = history
        self.done_at = clock.monotonic()
        """Monotonic time of the last comparison that went through; the liveness probe looks at its age."""

    async def run(self) -> None:
        """Compare until canceled."""
        while True:
            await asyncio.sleep(self.interval_seconds * (1 + JITTER * random.random()))  # noqa: S311 - spreads load only
            while not await self.once():
                await asyncio.sleep(RETRY_SECONDS)

    async def once(self) -> bool:
        """One comparison; False when the API server did not answer."""
        known_before = self._cache.known_uids()
        try:
            # One after the other: a page takes ten times what is kept of it, and three of them three times that.
            runs, batches, pods = await self._lister.runs(), await self._lister.batches(), await self._lister.pods()
        except ApiError as error:
            log.warning("resync: %s", error)
            return False
        self._history.note_all((*runs, *batches))
        drifted = self._cache.replace_all(known_before, runs, batches, pods)
        # What is not finished is looked at in any case: the cache knows of own writes, so when the event of one was
        # lost (a run was created, or ended), nothing has drifted and yet nobody has looked.
        unfinished = [Key(Kind.RUN, run.namespace, run.name) for run in runs if not run.terminal]
        unfinished += [Key(Kind.BATCH, batch.namespace, batch.name) for batch in batches if not batch.terminal]
        for key in (*drifted, *unfinished):
            self._enqueue(key)
        self.done_at = self._clock.monotonic()
        if drifted:
            log.info("resync: %d objects had drifted", len(drifted))
        return True
