"""Keepers of the claim to be the active gateway: a Lease object, or a locked file where there is no cluster."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import aiohttp

from autopack.leases.file_backend import FileLeaseBackend
from autopack.leases.process import this_process
from autopack.log import log
from autopack_gateway.service.settings import LeaseName

from .claim import Seen, may_take, seen, taken

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_TIMEOUT = aiohttp.ClientTimeout(total=5)


class Keeper(Protocol):
    """Asked again and again."""

    async def claim(self) -> int | None:
        """Claim or renew; return the transitions (0 and up), or None when somebody else has it. May raise OSError."""
        ...

    async def release(self) -> None:
        """Give the claim up."""
        ...


class FileKeeper:
    """A locked file: it is free as soon as its holder has ended, however that was."""

    def __init__(self, folder: Path) -> None:
        self._backend, self._me = FileLeaseBackend(folder, patience=0), this_process()

    async def claim(self) -> int | None:
        """See Keeper."""
        return 0 if await asyncio.to_thread(self._backend.try_acquire, "gateway", self._me) else None

    async def release(self) -> None:
        """See Keeper."""
        await asyncio.to_thread(self._backend.release, "gateway", self._me)


class LeaseKeeper:
    """A Lease object, read and written with our own token."""

    def __init__(
        self,
        name: LeaseName,
        server: str,
        account: Path = _ACCOUNT,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._account, self._monotonic = name, account, monotonic
        self._all = f"{server}/apis/coordination.k8s.io/v1/namespaces/{name.namespace}/leases"
        self._seen: Seen | None = None

    async def claim(self) -> int | None:
        """See Keeper."""
        try:
            async with self._session() as session:
                return await self._claim(session)
        except (aiohttp.ClientError, ValueError, KeyError, TimeoutError) as error:
            raise OSError(f"the Lease {self._name.name} cannot be claimed ({type(error).__name__})") from error

    async def release(self) -> None:
        """See Keeper."""
        with contextlib.suppress(aiohttp.ClientError, ValueError, KeyError, TimeoutError, OSError):
            async with self._session() as session:
                lease = await self._read(session)
                if lease is not None and lease.get("spec", {}).get("holderIdentity") == self._name.holder:
                    await self._write(session, {**lease, "spec": {**lease["spec"], "holderIdentity": ""}})

    async def _claim(self, session: aiohttp.ClientSession) -> int | None:
        lease = await self._read(session)
        me, now = self._name.holder, datetime.now(UTC)
        if lease is None:
            lease = {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": self._name.name, "namespace": self._name.namespace},
            }
        self._seen = seen(self._seen, lease.get("spec") or {}, self._monotonic())
        if not may_take(self._seen, me, self._monotonic()):
            return None
        spec = taken(self._seen.spec, me, now)
        if not await self._write(session, {**lease, "spec": spec}):
            return None
        return int(spec["leaseTransitions"])

    async def _read(self, session: aiohttp.ClientSession) -> dict[str, Any] | None:
        async with session.get(f"{self._all}/{self._name.name}") as response:
            if response.status == 404:
                return None
            response.raise_for_status()
            found: dict[str, Any] = await response.json()
            return found

    async def _write(self, session: aiohttp.ClientSession, lease: Mapping[str, Any]) -> bool:
        """Write what was read with our changes; False when somebody else was quicker."""
        new = "resourceVersion" not in lease["metadata"]
        method, url = ("POST", self._all) if new else ("PUT", f"{self._all}/{self._name.name}")
        async with session.request(method, url, json=lease) as response:
            if response.status == 409:
                log("info", "another gateway was quicker", lease=self._name.name)
                return False
            response.raise_for_status()
            return True

    @contextlib.asynccontextmanager
    async def _session(self) -> AsyncIterator[aiohttp.ClientSession]:
        headers = {"Authorization": f"Bearer {(self._account / 'token').read_text().strip()}"}
        trust = ssl.create_default_context(cafile=str(self._account / "ca.crt"))
        connector = aiohttp.TCPConnector(ssl=trust)
        async with aiohttp.ClientSession(headers=headers, connector=connector, timeout=_TIMEOUT) as session:
            yield session


def api_server(environ: Mapping[str, str]) -> str:
    """Return the API server's address, as a pod knows it."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "443")
    return f"https://{f'[{host}]' if ':' in host else host}:{port}"
