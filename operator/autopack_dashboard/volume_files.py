"""The files of runs in a cluster: the volume service reads them for us."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from autopack.errors import printable
from autopack.registry.reader import RunDetail, RunSummary
from autopack_dashboard.ports import Artifact, Clash, Download, Forecast, Listing, NotThereError, Patch, Text

_TIMEOUT = aiohttp.ClientTimeout(total=150, sock_connect=5)
_DOWNLOAD = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=60)
_PIECE = 1 << 18

JsonDict = dict[str, Any]


class VolumeFiles:
    """Implements ports.Files. `token_file` proves who we are to the service at `url`."""

    def __init__(self, url: str, token_file: Path) -> None:
        self._url, self._token_file = url.rstrip("/"), token_file
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def listing(self, run: RunDetail, attempt: int) -> Listing:
        """See ports.Files."""
        document = await self._json(f"{_attempt(run, attempt)}/artifacts")
        files = [
            Artifact(str(each["path"]), each.get("size"), each.get("link")) for each in document.get("files") or ()
        ]
        return Listing(files, document.get("state") in {"committed", "failed"}, document.get("truncated") is True)

    async def log(self, run: RunDetail, attempt: int, stream: str, tail: int) -> Text:
        """See ports.Files."""
        data, headers = await self._bytes(f"{_attempt(run, attempt)}/logs/{stream}", {"tail": str(tail)})
        return Text(data, _number(headers, "X-Autopack-Offset"), _number(headers, "X-Autopack-Size"))

    async def content(self, run: RunDetail, attempt: int, path: str, limit: int) -> bytes:
        """See ports.Files."""
        query = {"path": path}
        headers = {"Range": f"bytes=0-{limit}"}
        data, _ = await self._bytes(f"{_attempt(run, attempt)}/artifact", query, headers)
        if len(data) > limit:
            raise NotThereError("TooLarge", f"{printable(path, 120)} is too large to be shown", "Download it")
        return data

    async def download(self, run: RunDetail, attempt: int, path: str) -> Download:
        """See ports.Files."""
        response = await self._get(f"{_attempt(run, attempt)}/artifact", {"path": path}, timeout=_DOWNLOAD)
        return Download(response.content_length, _pieces(response))

    async def patch(self, run: RunDetail, attempt: int, limit: int) -> Patch:
        """See ports.Files."""
        data, headers = await self._bytes(f"{_attempt(run, attempt)}/diff", {"limit": str(limit)})
        truncated = headers.get("X-Autopack-Truncated") == "true"
        return Patch(data, headers.get("X-Autopack-Base", ""), headers.get("X-Autopack-Tip", ""), truncated)

    async def forecast(self, runs: list[RunSummary]) -> Forecast | None:
        """See ports.Files."""
        query = urlencode([("attempt", f"{run.scope}/{run.attempt}") for run in runs])
        document = await self._json(f"/v1/forecast?{query}", pending=True)
        if document.get("state") != "done":
            return None
        names = {label: str(name) for label, name in document["runs"].items()}
        base = str(document["base"])

        def clashes(field: str) -> tuple[Clash, ...]:
            return tuple(
                Clash(names.get(each["first"], base), names.get(each["second"], base), tuple(each["paths"]))
                for each in document[field]
            )

        order = tuple(names[label] for label in document["order"])
        merged = tuple(names[label] for label in document["merged"])
        return Forecast(base, order, merged, clashes("conflicts"), clashes("leftOut"))

    async def _json(self, path: str, *, pending: bool = False) -> JsonDict:
        response = await self._get(path, {})
        async with response:
            document = await response.json(content_type=None)
        if not isinstance(document, dict):
            raise NotThereError("AnswerUnreadable", "this dashboard cannot read the volume service's answer")
        if response.status == 202 and not pending:
            raise NotThereError("NotYet", "the volume service is still working on it", "Try again in a moment")
        return document

    async def _bytes(
        self, path: str, query: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> tuple[bytes, Mapping[str, str]]:
        response = await self._get(path, query, headers)
        async with response:
            try:
                return await response.read(), response.headers
            except (aiohttp.ClientError, TimeoutError) as error:
                raise _unreachable(error) from error

    async def _get(
        self,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        timeout: aiohttp.ClientTimeout = _TIMEOUT,  # noqa: ASYNC109 - what aiohttp takes
    ) -> aiohttp.ClientResponse:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            # Read each time: the kubelet replaces the token before it expires.
            token = await asyncio.to_thread(self._token_file.read_text)
            sent = {"Authorization": f"Bearer {token.strip()}", **(headers or {})}
            # Names of files need not be UTF-8: they are encoded here.
            asked = f"?{urlencode(query, errors='surrogateescape')}" if query else ""
            url = URL(f"{self._url}{path}{asked}", encoded=True)
            response = await self._session.get(url, headers=sent, timeout=timeout)
            if response.status < 300:
                return response
            async with response:
                document = await response.json(content_type=None)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise _unreachable(error) from error
        told = document if isinstance(document, dict) else {}
        message = printable(str(told.get("message") or f"the volume service answered {response.status}"), 500)
        raise NotThereError(printable(str(told.get("reason") or "Refused"), 64), message)


async def _pieces(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async with response:
        async for piece in response.content.iter_chunked(_PIECE):
            yield piece


def _attempt(run: RunDetail, attempt: int) -> str:
    return f"/v1/attempts/{run.summary.scope}/{attempt}"


def _number(headers: Mapping[str, str], name: str) -> int:
    text = headers.get(name, "")
    return int(text) if text.isdecimal() else 0


def _unreachable(error: Exception) -> NotThereError:
    return NotThereError("VolumeUnavailable", f"the volume service does not answer ({type(error).__name__})")
