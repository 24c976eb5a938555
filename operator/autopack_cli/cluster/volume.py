"""What runs left and what they are writing, read from the volume service (docs/volume-api.md)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from autopack.counts import count_of
from autopack.errors import printable
from autopack_cli.cluster.forward import forwarded
from autopack_cli.cluster.problems import NO_ANSWER, NOT_ALLOWED, NOT_THERE, ClusterProblem
from autopack_cli.cluster.session import Session

JsonDict = dict[str, Any]
CHUNK = 1 << 18
_POLL_SECONDS = 0.5
_FORECAST_SECONDS = 300
_CODES = {404: NOT_THERE, 403: NOT_ALLOWED, 503: NO_ANSWER}
_SILENCE = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=180)


class Attempt(NamedTuple):
    """Which attempt of which run."""

    run: str
    uid: str
    number: int

    @property
    def path(self) -> str:
        """Its path on the service."""
        return f"/v1/attempts/{quote(self.uid, safe='')}/{self.number}"


class Part(NamedTuple):
    """A part of a log: where it begins, how long the log is now, whether more may come."""

    data: bytes
    offset: int
    live: bool


class Volume:
    """The readers' side of the volume service. Everything raises ClusterProblem."""

    def __init__(self, client: aiohttp.ClientSession, address: str) -> None:
        self._client = client
        self._address = address

    @contextlib.asynccontextmanager
    async def get(self, path: str, /, **query: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """Yield the answer to a GET, once it is a good one."""
        text = urlencode(query, errors="surrogateescape", quote_via=quote)
        url = URL(f"{self._address}{path}" + (f"?{text}" if text else ""), encoded=True)
        try:
            async with self._client.get(url) as response:
                if response.status >= 400:
                    raise await _problem(response)
                yield response
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Lost(
                f"the connection to the volume service was lost: {error or type(error).__name__}. Try again",
                NO_ANSWER,
            ) from error

    async def json(self, path: str, /, **query: str) -> JsonDict:
        """Return a JSON answer."""
        async with self.get(path, **query) as response:
            found: JsonDict = await response.json()
            return found

    async def log(self, attempt: Attempt, stream: str, **query: str) -> Part:
        """Return a part of a log."""
        async with self.get(f"{attempt.path}/logs/{stream}", **query) as response:
            data = await response.read()
            live = response.headers.get("X-Autopack-State") == "live"
            return Part(data, int(response.headers["X-Autopack-Offset"]), live)

    async def forecast(self, attempts: list[Attempt], base: str | None) -> JsonDict:
        """Return how the branches of attempts would merge."""
        pairs = [("attempt", f"{one.uid}/{one.number}") for one in attempts]
        query = urlencode([*pairs, *([("base", base)] if base else [])])
        async with asyncio.timeout(_FORECAST_SECONDS):
            while True:
                answer = await self.json(f"/v1/forecast?{query}")
                if answer.get("state") != "pending":
                    return answer
                await asyncio.sleep(_POLL_SECONDS)


class Lost(ClusterProblem):
    """The connection was lost; asking again may do."""


async def _problem(response: aiohttp.ClientResponse) -> ClusterProblem:
    try:
        body: Mapping[str, Any] = await response.json()
        message = str(body["message"])
    except (ValueError, KeyError, TypeError, aiohttp.ClientError):
        message = f"the volume service answered {response.status}"
    return ClusterProblem(printable(message, 500), _CODES.get(response.status, 2))


@contextlib.asynccontextmanager
async def open_volume(session: Session) -> AsyncIterator[Volume]:
    """Open the way to the volume service."""
    async with forwarded(session) as address, aiohttp.ClientSession(timeout=_SILENCE) as client:
        yield Volume(client, address)


def attempt_of(run: Mapping[str, Any], number: int | None = None) -> Attempt:
    """Return an attempt of a run, the latest by default; ClusterProblem before there is one."""
    latest = int((run.get("status") or {}).get("attempt") or 0)
    meta = run["metadata"]
    if not latest:
        said = (run.get("status") or {}).get("message") or "it waits"
        raise ClusterProblem(f"run/{meta['name']} has not started: {printable(str(said), 300)}", NOT_THERE)
    if number is not None and number > latest:
        raise ClusterProblem(f"run/{meta['name']} has {count_of(latest, 'attempt')}. Choose one of them", NOT_THERE)
    return Attempt(str(meta["name"]), str(meta["uid"]), number or latest)
