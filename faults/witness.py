"""Watches a lane's namespace past the proxy, and writes down every state that an object was ever in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from faults.upstream import Upstream

JsonDict = dict[str, Any]

GROUP = "/apis/autopack.dev/v1alpha1"
WATCHED = {
    "AutopackRun": (GROUP, "autopackruns"),
    "RunBatch": (GROUP, "runbatches"),
    "Pod": ("/api/v1", "pods"),
    "Lease": ("/apis/coordination.k8s.io/v1", "leases"),
}


class NotSeenError(Exception):
    """What was waited for did not come."""


@dataclass(frozen=True)
class Seen:
    """One event of a watch."""

    at: float
    event: str
    kind: str
    body: JsonDict

    @property
    def name(self) -> str:
        """Of the object."""
        return str(self.body["metadata"]["name"])


class Witness:
    """Of one namespace."""

    def __init__(self, upstream: Upstream, namespace: str) -> None:
        self._upstream, self._namespace = upstream, namespace
        self.objects: dict[tuple[str, str], JsonDict] = {}
        self.history: list[Seen] = []
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Watch until canceled."""
        async with asyncio.TaskGroup() as group:
            for kind in WATCHED:
                group.create_task(self._watch(kind))

    async def _watch(self, kind: str) -> None:
        async for event, body in self._upstream.events(self.path(kind)):
            self.hear(Seen(time.monotonic(), event, kind, body))

    def hear(self, seen: Seen) -> None:
        """Take it in, and wake who waits."""
        place = seen.kind, seen.name
        if seen.event == "DELETED":
            self.objects.pop(place, None)
        else:
            self.objects[place] = seen.body
        self.history.append(seen)
        self._news.set()
        self._news = asyncio.Event()

    def path(self, kind: str, name: str = "") -> str:
        """URL path of the objects of a kind, or of one."""
        group, plural = WATCHED[kind]
        return f"{group}/namespaces/{self._namespace}/{plural}" + (f"/{name}" if name else "")

    def all(self, kind: str) -> list[JsonDict]:
        """Those that exist."""
        return [body for (of, _), body in sorted(self.objects.items()) if of == kind]

    def find(self, kind: str, name: str) -> JsonDict | None:
        """One of them."""
        return self.objects.get((kind, name))

    async def until(self, fulfilled: Callable[[], bool], what: str, seconds: float) -> None:
        """Wait for it. Raises NotSeenError."""
        deadline = time.monotonic() + seconds
        while not fulfilled():
            left = deadline - time.monotonic()
            if left <= 0:
                raise NotSeenError(f"{what} did not happen within {seconds:.0f} s")
            # Not wait_for: before Python 3.12 that loses a cancellation which comes together with the news.
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, 0.2)):
                    await self._news.wait()


def phase(body: JsonDict | None) -> str:
    """status.phase; empty at first."""
    return str(((body or {}).get("status") or {}).get("phase") or "")
