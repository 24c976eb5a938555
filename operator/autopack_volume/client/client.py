"""Asks the volume service: one client for the operator, the dashboard and the command line."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple, cast
from urllib.parse import quote, urlencode

import aiohttp

from autopack.merge_forecast import Conflict, MergeForecast
from autopack_volume.contract import headers, messages, routes
from autopack_volume.contract.routes import at

from .asking import Asking, RefusedError, UnreachableError, document_of

__all__ = ["CHUNK", "LogPart", "Patch", "RefusedError", "UnreachableError", "VolumeClient", "forecast_of"]

CHUNK = 1 << 18
"""How many bytes of a long answer are worth a step."""


class LogPart(NamedTuple):
    """A part of a log: where it begins, how long the log is now, both in bytes, and whether more may come."""

    data: bytes
    offset: int
    size: int
    live: bool


class Patch(NamedTuple):
    """A patch between two commits, cut where `truncated`."""

    data: bytes
    base: str
    tip: str
    truncated: bool


class VolumeClient(Asking):
    """Everything raises UnreachableError or RefusedError. None is the answer to what was asked too early: ask again."""

    async def prepare(self, uid: str, attempt: int, wanted: messages.PrepareRequest) -> messages.Ready | None:
        """Prepare an attempt."""
        return cast("messages.Ready | None", await self.json("PUT", at(routes.ATTEMPT, uid, attempt), wanted))

    async def commit(self, uid: str, attempt: int, wanted: messages.CommitRequest) -> messages.Committed | None:
        """Commit an attempt."""
        return cast("messages.Committed | None", await self.json("POST", at(routes.COMMIT, uid, attempt), wanted))

    async def unfinished(self) -> messages.Unfinished:
        """Return the attempts that were prepared and never committed."""
        return cast("messages.Unfinished", await self.json("GET", routes.ATTEMPTS))

    async def source(self, url: str) -> messages.Reachable | None:
        """Tell whether a repository can be fetched; RefusedError says why it cannot."""
        query = urlencode({"url": url})
        return cast("messages.Reachable | None", await self.json("GET", f"{routes.SOURCE}?{query}"))

    async def run(self, uid: str) -> messages.Run:
        """Return the attempts of a run."""
        return cast("messages.Run", await self.json("GET", at(routes.RUN, uid)))

    async def attempt(self, uid: str, attempt: int) -> messages.Attempt:
        """Tell how far an attempt is."""
        return cast("messages.Attempt", await self.json("GET", at(routes.ATTEMPT, uid, attempt)))

    async def artifacts(self, uid: str, attempt: int) -> messages.Listing:
        """List the artifacts of an attempt."""
        return cast("messages.Listing", await self.json("GET", at(routes.ARTIFACTS, uid, attempt)))

    async def forecast(self, attempts: Sequence[tuple[str, int]], base: str | None = None) -> messages.Forecast | None:
        """Tell how the branches of attempts would merge."""
        pairs = [("attempt", f"{uid}/{attempt}") for uid, attempt in attempts]
        query = urlencode([*pairs, *([("base", base)] if base else [])])
        return cast("messages.Forecast | None", await self.json("GET", f"{routes.FORECAST}?{query}"))

    async def log(self, uid: str, attempt: int, stream: str, /, **query: int) -> LogPart:
        """Return a part of a log: the last `tail` bytes, or what comes from `offset` on."""
        async with self._get(at(routes.LOG, uid, attempt, stream), query) as response:
            told = response.headers
            live = told.get(headers.STATE) == "live"
            return LogPart(await response.read(), _number(told, headers.OFFSET), _number(told, headers.SIZE), live)

    async def diff(
        self, uid: str, attempt: int, limit: int, *, stat: bool = False, committed: bool = False, binary: bool = False
    ) -> Patch:
        """Return what an attempt changed, at most `limit` bytes of it; `binary`: as `git apply` needs it."""
        flags = {"stat": stat, "committed": committed, "binary": binary}
        query: dict[str, str | int] = {"limit": limit} | {name: "true" for name, wanted in flags.items() if wanted}
        async with self._get(at(routes.DIFF, uid, attempt), query) as response:
            told = response.headers
            truncated = told.get(headers.TRUNCATED) == "true"
            return Patch(await response.read(), told.get(headers.BASE, ""), told.get(headers.TIP, ""), truncated)

    @contextlib.asynccontextmanager
    async def artifact(
        self, uid: str, attempt: int, path: str, first: int | None = None, within: aiohttp.ClientTimeout | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Yield the answer that holds an artifact, or its `first` bytes."""
        part = {} if first is None else {"Range": f"bytes=0-{first - 1}"}
        async with self._get(at(routes.ARTIFACT, uid, attempt), {"path": path}, part, within) as response:
            yield response

    @contextlib.asynccontextmanager
    async def bundle(
        self, uid: str, attempt: int, ref: str | None, *, complete: bool
    ) -> AsyncIterator[tuple[str, aiohttp.ClientResponse]]:
        """Yield the name of the ref in a bundle, and the answer that holds the bundle."""
        query = ({"ref": ref} if ref else {}) | ({"complete": "true"} if complete else {})
        async with self._get(at(routes.BUNDLE, uid, attempt), query) as response:
            yield response.headers[headers.REF], response

    @contextlib.asynccontextmanager
    async def _get(
        self,
        path: str,
        query: Mapping[str, object],
        more: Mapping[str, str] | None = None,
        within: aiohttp.ClientTimeout | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        # Names of files need not be UTF-8: they are encoded here.
        text = urlencode(query, errors="surrogateescape", quote_via=quote)
        try:
            async with self.request("GET", f"{path}?{text}" if text else path, more=more, within=within) as response:
                if response.status >= 300:
                    raise RefusedError(response.status, await document_of(response))
                yield response
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnreachableError(error) from error


def forecast_of(message: messages.Forecast) -> MergeForecast:
    """Return a forecast as the library has it; attempts keep the names that they have in the message."""

    def conflicts(found: list[messages.Conflict]) -> tuple[Conflict, ...]:
        return tuple(Conflict(one["first"], one["second"], tuple(one["paths"])) for one in found)

    return MergeForecast(
        message["base"],
        tuple(message["order"]),
        conflicts(message["leftOut"]),
        conflicts(message["conflicts"]),
        tuple(message["merged"]),
    )


def _number(told: Mapping[str, str], name: str) -> int:
    text = told.get(name, "")
    return int(text) if text.isdecimal() else 0
