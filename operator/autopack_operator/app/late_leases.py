"""Releases Leases of runs that have ended. A run lets go of its own before it ends; what is left was asked for by a
leader that died, or was replaced, with its request still on the way.
"""

from __future__ import annotations

import logging

from autopack_operator.cache import Cache
from autopack_operator.domain.views import LeaseView
from autopack_operator.ports.cluster import ApiError, Leases, Lister

log = logging.getLogger(__name__)


class LateLeases:
    """One task of the leader."""

    def __init__(self, lister: Lister, cache: Cache, leases: Leases) -> None:
        self._lister, self._cache, self._leases = lister, cache, leases

    async def look(self) -> None:
        """One look. What the API server cannot do now is done at the next."""
        try:
            held = {lease for lease in await self._lister.leases() if self._has_ended(lease)}
            for lease in held:
                await self._leases.release(lease.namespace, lease.run_uid, lease.attempt)
                log.info("a Lease of attempt %d came after the end of run %s", lease.attempt, lease.run_name)
        except ApiError as error:
            log.warning("Leases that came late are looked for later: %s", error)

    def _has_ended(self, lease: LeaseView) -> bool:
        """By the cache, however stale: an end is final. The garbage collector takes those of runs that are gone."""
        run = self._cache.runs.get(lease.namespace, lease.run_name)
        return run is not None and run.uid == lease.run_uid and run.terminal
