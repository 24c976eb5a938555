"""What runs left and what they are writing, read from the volume service (docs/volume-api.md)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, NamedTuple

import aiohttp

from autopack.counts import count_of
from autopack.errors import printable
from autopack_cli.cluster.forward import forwarded
from autopack_cli.cluster.problems import NO_ANSWER, NOT_ALLOWED, NOT_THERE, ClusterProblem
from autopack_cli.cluster.session import Session
from autopack_volume.client.client import RefusedError, UnreachableError, VolumeClient
from autopack_volume.contract.messages import Forecast

_POLL_SECONDS = 0.5
_FORECAST_SECONDS = 300
_SOURCE_SECONDS = 120
_CODES = {404: NOT_THERE, 409: NOT_THERE, 403: NOT_ALLOWED, 503: NO_ANSWER}
_SILENCE = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=180)


class Attempt(NamedTuple):
    """Which attempt of which run."""

    run: str
    uid: str
    number: int

    @property
    def key(self) -> tuple[str, int]:
        """What the service knows it by."""
        return self.uid, self.number


class Lost(ClusterProblem):
    """The connection was lost; asking again may do."""


@contextlib.contextmanager
def said() -> Iterator[None]:
    """Say what the service said as a problem of a command."""
    try:
        yield
    except UnreachableError as error:
        raise Lost(f"the connection to the volume service was lost: {error}. Try again", NO_ANSWER) from error
    except RefusedError as error:
        raise ClusterProblem(printable(error.message, 500), _CODES.get(error.status, 2)) from error


@contextlib.asynccontextmanager
async def open_volume(session: Session) -> AsyncIterator[VolumeClient]:
    """Open the way to the volume service; what it raises becomes ClusterProblem."""
    with said():
        async with forwarded(session) as address, VolumeClient(address, timeout=_SILENCE) as client:
            yield client


async def forecast(volume: VolumeClient, attempts: list[Attempt], base: str | None) -> Forecast:
    """Return how the branches of attempts would merge, once that is known."""
    async with asyncio.timeout(_FORECAST_SECONDS):
        while (answer := await volume.forecast([one.key for one in attempts], base)) is None:
            await asyncio.sleep(_POLL_SECONDS)
        return answer


async def source(volume: VolumeClient, url: str) -> str:
    """Return the name of the credential that a repository is fetched with, empty when with none; ClusterProblem when it
    cannot be fetched.
    """
    async with asyncio.timeout(_SOURCE_SECONDS):
        while True:
            with said():
                answer = await volume.source(url)
            if answer is not None:
                return answer["credential"]
            await asyncio.sleep(_POLL_SECONDS)


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
