"""The files of runs in a cluster: the volume service reads them for us."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp

from autopack.errors import printable
from autopack.inside import Found
from autopack.merge_forecast import MergeForecast
from autopack.registry.reader import RunDetail, RunSummary
from autopack_dashboard.ports import Download, Listing, NotThereError, Patch, Text
from autopack_volume.client.client import CHUNK, RefusedError, UnreachableError, VolumeClient, forecast_of

_TIMEOUT = aiohttp.ClientTimeout(total=150, sock_connect=5)
_DOWNLOAD = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=60)


class VolumeFiles:
    """Implements ports.Files. `token_file` proves who we are to the service at `url`."""

    def __init__(self, url: str, token_file: Path) -> None:
        self._client = VolumeClient(url, token_file, _TIMEOUT)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def listing(self, run: RunDetail, attempt: int) -> Listing:
        """See ports.Files."""
        with _said():
            found = await self._client.artifacts(run.summary.scope, attempt)
        files = [Found(str(each["path"]), each.get("size"), each.get("link")) for each in found.get("files") or ()]
        return Listing(files, found.get("state") in {"committed", "failed"}, found.get("truncated") is True)

    async def log(self, run: RunDetail, attempt: int, stream: str, tail: int) -> Text:
        """See ports.Files."""
        with _said():
            part = await self._client.log(run.summary.scope, attempt, stream, tail=tail)
        return Text(part.data, part.offset, part.size)

    async def content(self, run: RunDetail, attempt: int, path: str, limit: int) -> bytes:
        """See ports.Files."""
        with _said():
            async with self._client.artifact(run.summary.scope, attempt, path, first=limit + 1) as response:
                data = await response.read()
        if len(data) > limit:
            raise NotThereError("TooLarge", f"{printable(path, 120)} is too large to be shown", "Download it")
        return data

    async def download(self, run: RunDetail, attempt: int, path: str) -> Download:
        """See ports.Files."""
        stack = contextlib.AsyncExitStack()
        with _said():
            asked = self._client.artifact(run.summary.scope, attempt, path, within=_DOWNLOAD)
            response = await stack.enter_async_context(asked)
        return Download(response.content_length, _pieces(stack, response))

    async def patch(self, run: RunDetail, attempt: int, limit: int) -> Patch:
        """See ports.Files."""
        with _said():
            return Patch(*await self._client.diff(run.summary.scope, attempt, limit))

    async def forecast(self, runs: list[RunSummary]) -> MergeForecast | None:
        """See ports.Files."""
        with _said():
            found = await self._client.forecast([(run.scope, run.attempt) for run in runs])
        if found is None:
            return None
        return forecast_of(found).named(found["runs"])


@contextlib.contextmanager
def _said() -> Iterator[None]:
    """Say what the service said in a page's words."""
    try:
        yield
    except UnreachableError as error:
        raise NotThereError("VolumeUnavailable", f"the volume service does not answer ({error.cause})") from error
    except RefusedError as error:
        raise NotThereError(printable(error.reason, 64), printable(error.message, 500)) from error


async def _pieces(stack: contextlib.AsyncExitStack, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async with stack:
        async for piece in response.content.iter_chunked(CHUNK):
            yield piece
