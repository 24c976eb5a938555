"""Imports the work of runs that were deleted under way. Their pods stop by the garbage collector, their keepers save;
nobody else would ask the volume to import what they saved. See docs/adr on why there is no finalizer instead.
"""

from __future__ import annotations

import logging

from autopack_operator.domain import naming
from autopack_operator.domain.views import VolumeFailure
from autopack_operator.ports.cluster import ApiError, Lister
from autopack_operator.ports.volume import Volume

log = logging.getLogger(__name__)


class Orphans:
    """One task of the leader."""

    def __init__(self, lister: Lister, volume: Volume) -> None:
        self._lister, self._volume = lister, volume

    async def look(self) -> None:
        """One look. What the volume cannot answer now is asked for at the next."""
        # Before the lists: a run is there before its first attempt is prepared, so one that is missing is gone.
        left = await self._volume.unfinished()
        if isinstance(left, VolumeFailure):
            log.warning("what deleted runs left cannot be asked for: %s", left.message)
            return
        if not left:
            return
        try:
            # One after the other: their pages lie in memory together else.
            runs, pods = await self._lister.runs(), await self._lister.pods()
        except ApiError as error:
            log.warning("what deleted runs left is looked for later: %s", error)
            return
        living = {run.uid for run in runs} | {pod.owner.uid for pod in pods if pod.owner is not None}
        # Pods that lost their owner (`--cascade=orphan`) are known by their names alone.
        names = {pod.name for pod in pods if pod.owner is None}
        for attempt in left:
            pod = naming.pod_name(attempt.run_name, attempt.number)
            if attempt.run_uid in living or pod in names:
                continue
            answer = await self._volume.commit(
                attempt.run_uid, attempt.run_name, attempt.number, remove_workspace=False
            )
            told = answer.message if isinstance(answer, VolumeFailure) else "imported" if answer else "under way"
            log.info(
                "run %s was deleted under way; its attempt %d: %s",
                attempt.run_name,
                attempt.number,
                told,
                extra={"run": attempt.run_name, "runUID": attempt.run_uid, "attempt": attempt.number},
            )
