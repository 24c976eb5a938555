"""Asks the model gateway: what the operator sends and reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from autopack_gateway.contract import messages, routes
from autopack_gateway.contract.routes import at

_USUAL = aiohttp.ClientTimeout(total=30)


class UnreachableError(Exception):
    """The gateway did not answer, or not in JSON where it should; `cause` is the class of what went wrong."""

    def __init__(self, error: Exception) -> None:
        self.cause = type(error).__name__
        super().__init__(f"{self.cause} {error}".rstrip())


class RefusedError(Exception):
    """The gateway refused, with this HTTP status; `reason` and `message` are from outside. 400 and 409 are for good."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        self.reason = str(document.get("reason") or f"GatewayAnswered{status}")
        self.message = str(document.get("message") or f"the gateway answered {status}")
        super().__init__(self.message)


class GatewayClient:
    """Everything raises UnreachableError or RefusedError, and may be asked again.

    `token_file` proves who we are; None where the way to the gateway proves it.
    """

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

    async def grant(self, grant: messages.Grant) -> messages.Granted:
        """Let the pod of an attempt ask for models; for the same attempt: replace the grant.

        RefusedError 409 when a later attempt of the run has a grant, or had one.
        """
        return cast("messages.Granted", await self._json("PUT", routes.GRANTS, grant))

    async def revoke(self, uid: str, attempt: int) -> messages.Revoked:
        """Take the grant of an attempt (and of earlier ones) away: its pod gets 401 at its next request."""
        return cast("messages.Revoked", await self._json("DELETE", at(routes.GRANT, uid, attempt)))

    async def spent(self, after: str | None = None) -> messages.Spent:
        """Return what runs used, for those that something changed about since; None asks for all."""
        query = f"?{urlencode({'after': after})}" if after else ""
        return cast("messages.Spent", await self._json("GET", f"{routes.SPENT}{query}"))

    async def _json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        try:
            if self._session is None:
                self._session = aiohttp.ClientSession()
            url, proof = URL(self._address + path, encoded=True), self._proof()
            async with self._session.request(method, url, json=body, headers=proof, timeout=self._timeout) as response:
                document = await _document(response)
                if response.status != 200:
                    raise RefusedError(response.status, document)
                return document
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise UnreachableError(error) from error

    def _proof(self) -> dict[str, str]:
        """Read the token again when the kubelet has replaced it, before it expires: in memory, not worth a thread."""
        if self._token_file is None:
            return {}
        status = self._token_file.stat()
        version = (status.st_ino, status.st_mtime_ns)
        if version != self._token_version:
            self._token, self._token_version = self._token_file.read_text().strip(), version
        return {"Authorization": f"Bearer {self._token}"}


async def _document(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """Return what the gateway says; nothing for a refusal that is not one of its own."""
    try:
        document = await response.json(content_type=None)
    except ValueError:
        if response.status == 200:
            raise
        document = None
    return document if isinstance(document, dict) else {}
