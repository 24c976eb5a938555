"""Counts the deliveries of a finished batch's runs: they go on after its phase is final."""

from __future__ import annotations

from autopack_operator.domain.delivery.tally import counted
from autopack_operator.domain.keys import Key
from autopack_operator.domain.views import BatchView
from autopack_operator.ports.ports import Ports

LOOK_SECONDS = 1.0
"""Its runs are gone through at most so often, however many of them change."""


class BatchDeliveries:
    """Implements reconciler.Epilogue for batches."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._looked_at: dict[Key, float] = {}

    async def bring_on(self, key: Key, view: BatchView) -> tuple[BatchView, float | None]:
        """One look, and one write if there is news."""
        now = self._ports.clock.monotonic()
        pause = self._looked_at.get(key, float("-inf")) + LOOK_SECONDS - now
        if pause > 0:
            return view, pause
        self._looked_at[key] = now
        deliveries = counted(view.status.delivery, self._ports.cache.runs_of(view.uid))
        if deliveries == view.status.delivery:
            return view, None
        status = view.status.model_copy(update={"delivery": deliveries})
        written = await self._ports.batches.write_status(view, status)
        self._ports.cache.batches.put(written)
        return written, None

    def forget(self, key: Key) -> None:
        """The batch is gone."""
        self._looked_at.pop(key, None)
