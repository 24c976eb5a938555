"""One request to a host's API: bounded in time and size, with its own CA and proxy, and led to no other server."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urljoin, urlsplit

import aiohttp
from yarl import URL

from autopack.errors import printable

from .answers import Reply, failure_of, said_in, wait_of
from .port import HostFailure

_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=20)
_MAX_ANSWER = 16 << 20
_MAX_REDIRECTS = 3
_REPEATS_METHOD = (307, 308)
_REDIRECTS = (301, 302, *_REPEATS_METHOD)


class Connection(NamedTuple):
    """How a host's API is reached. `token` is asked for each request, `ca_file` read for each: a renewed one counts.

    `name` and `secret` are those of the credential, for sentences.
    """

    api: str
    token: Callable[[], Awaitable[str]]
    name: str
    secret: str
    ca_file: Path | None = None
    proxy: str = ""


class Rest:
    """The API of one host. Everything raises HostFailure."""

    def __init__(self, connection: Connection, headers: Mapping[str, str]) -> None:
        self._connection, self._headers = connection, dict(headers)

    async def get(self, path: str, query: Mapping[str, str | int] | None = None) -> Any:  # noqa: ANN401 - a host's own shape
        """Ask for a document."""
        return (await self.request("GET", path, query)).document

    async def send(self, method: str, path: str, document: Mapping[str, object]) -> Any:  # noqa: ANN401 - a host's own shape
        """Send a document, and return the one in the answer."""
        return (await self.request(method, path, None, document)).document

    async def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None = None,
        document: Mapping[str, object] | None = None,
        accepted: Collection[int] = (),
    ) -> Reply:
        """Send a request; an answer that is no success, nor of an accepted status, is a failure. `path` is quoted."""
        url = f"{self._connection.api}{path}" + (f"?{urlencode(query)}" if query else "")
        reply = await self._followed(method, url, document)
        limited = wait_of(reply, said_in(reply.document)) is not None
        fits = 200 <= reply.status < 300 or (reply.status in accepted and not limited)
        if fits and reply.document is not None:
            return reply
        raise failure_of(reply, self._where(), self._connection.name, self._connection.secret)

    async def _followed(self, method: str, url: str, document: Mapping[str, object] | None) -> Reply:
        for _ in range(_MAX_REDIRECTS):
            reply = await self._bounded(method, url, document)
            if reply.status not in _REDIRECTS:
                return reply
            # A renamed repository answers so. The token goes to no other server, and nothing is changed by a guess.
            led = urljoin(url, reply.headers.get("Location", ""))
            if _server(led) != _server(self._connection.api):
                raise HostFailure("HostRedirect", f"{self._where()} led to another server", "Correct the address")
            if method != "GET" and reply.status not in _REPEATS_METHOD:
                break
            url = led
        raise HostFailure("HostRedirect", f"{self._where()} says that this lies elsewhere", "Correct the address")

    async def _bounded(self, method: str, url: str, document: Mapping[str, object] | None) -> Reply:
        if self._connection.proxy.startswith("socks"):
            raise HostFailure("ProxyUnusable", "a host's API is not asked through a SOCKS proxy", "Give an http proxy")
        headers = {**self._headers, "Authorization": f"Bearer {await self._connection.token()}"}
        try:
            context = await asyncio.to_thread(_context, self._connection.ca_file)
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()) as session,
                session.request(
                    method,
                    URL(url, encoded=True),
                    json=document,
                    headers=headers,
                    allow_redirects=False,
                    ssl=context,
                    proxy=self._connection.proxy or None,
                ) as response,
            ):
                return Reply(response.status, dict(response.headers), await _read(response))
        except TimeoutError:
            raise HostFailure("HostTimeout", f"{self._where()} did not answer in time", transient=True) from None
        except aiohttp.ClientConnectorCertificateError as error:
            what = f"{self._where()} shows a certificate that is not trusted: {printable(str(error.certificate_error))}"
            raise HostFailure("HostCertificate", what, "Give its CA as caBundle", transient=True) from None
        except (aiohttp.ClientError, OSError) as error:
            what = f"{self._where()} cannot be reached: {printable(str(error) or type(error).__name__, 200)}"
            raise HostFailure("HostUnreachable", what, transient=True) from None

    def _where(self) -> str:
        return urlsplit(self._connection.api).netloc


def _context(ca_file: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))


def _server(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or 443
    except ValueError:
        return "", None, None


async def _read(response: aiohttp.ClientResponse) -> object:
    """Return the JSON of an answer; None when it is too long or something else, such as a proxy's page."""
    data = bytearray()
    async for chunk in response.content.iter_chunked(1 << 16):
        data += chunk
        if len(data) > _MAX_ANSWER:
            return None
    try:
        return json.loads(data) if data else {}
    except ValueError:
        return None
