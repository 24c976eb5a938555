"""Leader election by a Lease, judged on this process's own monotonic clock (as client-go does: clocks of
two machines are never compared). The leader exits when it could not renew in time, well before another may take over.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from autopack_operator.adapters.kube.connection import Connection, path
from autopack_operator.adapters.kube.lease_backend import LEASES
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.times import micro_time
from autopack_operator.ports.clock import Clock
from autopack_operator.ports.cluster import ApiError, ConflictError, GoneError

log = logging.getLogger(__name__)

LEASE_SECONDS = 15.0
RENEW_DEADLINE_SECONDS = 10.0
RETRY_SECONDS = 3.0


@dataclass(slots=True)
class _Seen:
    """A record of somebody else's, and when this process first saw it unchanged."""

    version: str = ""
    at: float = float("-inf")


class KubeLeadership:
    """One leader at a time: the process acts only while it leads, and exits when it no longer does."""

    def __init__(self, connection: Connection, namespace: str, name: str, identity: str, clock: Clock) -> None:
        self._connection, self._clock = connection, clock
        self._namespace, self._name, self._identity = namespace, name, identity
        self._seen = _Seen()
        self._renewed_at = float("-inf")
        self._held: JsonDict | None = None
        """The Lease as this process wrote it last; nobody has changed it if the API server takes it once more."""

    async def acquire(self) -> None:
        """Return once this process holds the Lease."""
        while not await self._try():
            await asyncio.sleep(RETRY_SECONDS)
        log.info("leading as %s", self._identity)

    async def hold(self) -> None:
        """Renew until renewal has failed for RENEW_DEADLINE_SECONDS or somebody else holds the Lease."""
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            left = self._renewed_at + RENEW_DEADLINE_SECONDS - self._clock.monotonic()
            if left <= 0:
                return
            try:
                held = await asyncio.wait_for(self._try(), left)
            except TimeoutError:
                return
            if not held and self._seen.version:
                return

    def leads(self) -> bool:
        """Whether the last renewal is young enough for this process to act, now."""
        return self._clock.monotonic() < self._renewed_at + RENEW_DEADLINE_SECONDS

    async def release(self) -> None:
        """Empty the holder, if it is still this process; it does not act as leader from here on."""
        self._renewed_at = float("-inf")
        try:
            lease = await self._connection.request("GET", self._path())
            if (lease.get("spec") or {}).get("holderIdentity") == self._identity:
                lease["spec"] |= {"holderIdentity": "", "renewTime": _now()}
                await self._connection.request("PUT", self._path(), lease)
        except ApiError as error:
            log.warning("the leader's Lease was not released: %s", error)

    def _path(self) -> str:
        return path(LEASES, self._namespace, "leases", self._name)

    async def _try(self) -> bool:
        """One attempt to take or renew. The time counted is that before the request: the cautious end."""
        before = self._clock.monotonic()
        try:
            held = await self._write()
        except ApiError as error:
            log.warning("leader election: %s", error)
            return False
        if held:
            self._renewed_at, self._seen = before, _Seen()
        return held

    async def _write(self) -> bool:
        """One request to renew, as client-go does; two to take."""
        if self._held is not None:
            mine, self._held = self._held, None
            with contextlib.suppress(ConflictError, GoneError):
                self._held = await self._put(mine, {"renewTime": _now()})
                return True
        try:
            lease = await self._connection.request("GET", self._path())
        except GoneError:
            self._held = await self._connection.request("POST", path(LEASES, self._namespace, "leases"), self._fresh())
            return True
        spec = lease.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        if holder not in {"", self._identity} and not self._expired(lease):
            return False
        if holder != self._identity:
            spec |= {"acquireTime": _now(), "leaseTransitions": (spec.get("leaseTransitions") or 0) + 1}
        mine = {"holderIdentity": self._identity, "leaseDurationSeconds": int(LEASE_SECONDS)}
        self._held = await self._put(lease | {"spec": spec | mine}, {"renewTime": _now()})
        return True

    async def _put(self, lease: JsonDict, spec: JsonDict) -> JsonDict:
        return await self._connection.request("PUT", self._path(), lease | {"spec": lease["spec"] | spec})

    def _expired(self, lease: JsonDict) -> bool:
        """Whether another's record has stayed the same for the whole duration.

        Its age is counted from when the answer came, never from the request: the record may have been written while
        the request was on its way.
        """
        version, now = lease["metadata"]["resourceVersion"], self._clock.monotonic()
        if version != self._seen.version:
            self._seen = _Seen(version, now)
        return now - self._seen.at > LEASE_SECONDS

    def _fresh(self) -> JsonDict:
        return {
            "apiVersion": LEASES,
            "kind": "Lease",
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": {
                "holderIdentity": self._identity,
                "acquireTime": _now(),
                "renewTime": _now(),
                "leaseDurationSeconds": int(LEASE_SECONDS),
                "leaseTransitions": 0,
            },
        }


def _now() -> str:
    return micro_time(datetime.now(UTC))
