"""Asks a service of ours over HTTP, and proves who asks."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Collection, Mapping
from pathlib import Path
from typing import Any, Self

import aiohttp
from yarl import URL

_USUAL = aiohttp.ClientTimeout(total=30)


class UnreachableError(Exception):
    """The service did not answer, or not in JSON where it should; `cause` is the class of what went wrong."""

    def __init__(self, error: Exception) -> None:
        self.cause = type(error).__name__
        super().__init__(f"{self.cause} {error}".rstrip())


class RefusedError(Exception):
    """The service refused, with this HTTP status; `reason` and `message` are from outside."""

    def __init__(self, status: int, document: Mapping[str, Any], service: str = "volume service") -> None:
        self.status = status
        self.reason = str(document.get("reason") or f"{service.split()[0].capitalize()}Answered{status}")
        self.message = str(document.get("message") or f"the {service} answered {status}")
        super().__init__(self.message)


class Asking:
    """One service. `token_file` proves who we are; None where the way to the service proves it."""

    service = "volume service"
    """What it is called in reasons and messages."""

    def __init__(self, address: str, token_file: Path | None = None, timeout: aiohttp.ClientTimeout = _USUAL) -> None:
        self._address, self._token_file, self._timeout = address.rstrip("/"), token_file, timeout
        self._session: aiohttp.ClientSession | None = None
        self._token, self._token_version = "", (0, 0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        """Return the object of an answer; None for what was asked too early: ask again."""
        status, document = await self._answer(method, path, body, {200, 202})
        return None if status == 202 else document

    async def final(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the object of an answer that is never too early."""
        return (await self._answer(method, path, body, {200}))[1]

    async def _answer(
        self, method: str, path: str, body: Mapping[str, Any] | None, expected: Collection[int]
    ) -> tuple[int, dict[str, Any]]:
        try:
            async with self.request(method, path, body) as response:
                if response.status not in expected:
                    raise RefusedError(response.status, await document_of(response), self.service)
                document = await response.json(content_type=None)
                return response.status, document if isinstance(document, dict) else {}
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise UnreachableError(error) from error

    @contextlib.asynccontextmanager
    async def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        more: Mapping[str, str] | None = None,
        within: aiohttp.ClientTimeout | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Yield an answer, whatever its status is."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            sent = {**(more or {}), **self._proof()}
        except OSError as error:
            raise UnreachableError(error) from error
        url = URL(self._address + path, encoded=True)
        async with self._session.request(
            method, url, json=body, headers=sent, timeout=within or self._timeout
        ) as response:
            yield response

    def _proof(self) -> dict[str, str]:
        """Read the token again when the kubelet has replaced it, before it expires: in memory, not worth a thread."""
        if self._token_file is None:
            return {}
        status = self._token_file.stat()
        version = (status.st_ino, status.st_mtime_ns)
        if version != self._token_version:
            self._token, self._token_version = self._token_file.read_text().strip(), version
        return {"Authorization": f"Bearer {self._token}"}


async def document_of(response: aiohttp.ClientResponse) -> Mapping[str, Any]:
    """Return what a refusal says; nothing when it is not one of the service's own."""
    try:
        document = await response.json(content_type=None)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
