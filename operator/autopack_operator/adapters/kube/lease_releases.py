"""Releases of Leases that come together go out together: a request takes along all that came until it had its slot."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from autopack_operator.adapters.kube.connection import Connection, path
from autopack_operator.adapters.kube.lease_backend import LEASES
from autopack_operator.domain.api.common import ATTEMPT_LABEL, RUN_UID_LABEL

AT_ONCE = 50
"""Runs in one request: their UIDs stand in its URL."""


@dataclass
class _Lane:
    """What waits for the same selector but for the UID."""

    waiting: dict[str, asyncio.Future[None]] = field(default_factory=dict)
    sender: asyncio.Task[None] | None = None


class LeaseReleases:
    """Deletes the Leases of attempts by label. A run that ends alone costs one request; a thousand cost a few dozen."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lanes: dict[tuple[str, int], _Lane] = {}

    async def release(self, namespace: str, run_uid: str, attempt: int) -> None:
        """Return when they are deleted. Raises what the request that this release went out with raised."""
        lane = self._lanes.setdefault((namespace, attempt), _Lane())
        done = lane.waiting.setdefault(run_uid, asyncio.get_running_loop().create_future())
        if lane.sender is None:
            lane.sender = asyncio.create_task(self._send_all(namespace, attempt, lane))
        # Another release may wait for the same answer.
        await asyncio.shield(done)

    async def _send_all(self, namespace: str, attempt: int, lane: _Lane) -> None:
        while lane.waiting:
            chosen: dict[str, asyncio.Future[None]] = {}
            try:
                await self._send(namespace, attempt, lane, chosen)
            except Exception as error:  # noqa: BLE001 - those who wait are to judge it
                _tell(chosen, error)
            else:
                _tell(chosen, None)
        del self._lanes[namespace, attempt]

    async def _send(self, namespace: str, attempt: int, lane: _Lane, chosen: dict[str, asyncio.Future[None]]) -> None:
        def choose() -> dict[str, str]:
            for uid in list(lane.waiting)[:AT_ONCE]:
                chosen[uid] = lane.waiting.pop(uid)
            return {"labelSelector": f"{RUN_UID_LABEL} in ({','.join(chosen)}),{ATTEMPT_LABEL}={attempt}"}

        await self._connection.request("DELETE", path(LEASES, namespace, "leases"), query=choose)


def _tell(waiting: dict[str, asyncio.Future[None]], error: Exception | None) -> None:
    for done in waiting.values():
        if done.cancelled():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
