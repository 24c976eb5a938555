"""What becomes of the events of one watch on their way to the operator."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from faults.injector import Injector
from faults.plan import Fault, Kind

JsonDict = dict[str, Any]

EXPIRED = {
    "type": "ERROR",
    "object": {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": "Expired",
        "code": 410,
        "message": "too old resource version",
    },
}


class WatchCutError(Exception):
    """The connection is to be cut; `last` is sent before."""

    def __init__(self, last: bytes = b"") -> None:
        super().__init__("the watch is cut")
        self.last = last


class DisturbedWatch:
    """One watch of one resource, which outlives trials: each event is judged by the trial under way when it comes."""

    def __init__(self, resource: str, injector: Callable[[], Injector]) -> None:
        self._resource, self._injector = resource, injector
        self._told: list[bytes] = []

    async def pass_on(self, events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The events as they are let through. Raises WatchCutError."""
        async for line in events:
            fault = self._hit(line)
            if fault is None:
                self._told.append(line)
                yield line
                continue
            for kept in await self._disturbed(line, fault):
                yield kept

    def _hit(self, line: bytes) -> Fault | None:
        event = json.loads(line)
        name = (event["object"].get("metadata") or {}).get("name", "")
        return self._injector().on_event(event["type"], self._resource, name)

    async def _disturbed(self, line: bytes, fault: Fault) -> list[bytes]:
        match fault.kind:
            case Kind.EVENT_HOLD:
                await asyncio.sleep(fault.seconds)
                return [line]
            case Kind.EVENT_DROP:
                return []
            case Kind.EVENT_DUPLICATE:
                return [line, line]
            case Kind.EVENT_REPLAY:
                return [line, *self._told, line]
            case Kind.EVENT_ERROR:
                raise WatchCutError(json.dumps(EXPIRED).encode() + b"\n")
            case Kind.EVENT_TRUNCATE:
                raise WatchCutError(line[: len(line) // 2])
            case Kind.EVENT_SILENCE:
                await asyncio.sleep(fault.seconds)
                raise WatchCutError
            case _:
                raise ValueError(f"{fault.kind} is not for events")
