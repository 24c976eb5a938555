"""The API server that the kubeconfig names: JSON requests of the campaign's own, raw ones of the proxy, watches."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import ssl
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from yarl import URL

JsonDict = dict[str, Any]

HOP_BY_HOP = frozenset({"connection", "transfer-encoding", "content-length", "content-encoding", "host", "keep-alive"})


AGAIN_SECONDS = 0.3
ABSENT_SECONDS = 60.0


class ApiError(Exception):
    """The API server refused; `status` is the HTTP code."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Upstream:
    """One connection pool. Certificates of the kubeconfig may be files or data; tokens are sent as they are."""

    def __init__(self, server: str, tls: ssl.SSLContext | None = None, token: str = "") -> None:
        self.server, self._tls, self._token = server.rstrip("/"), tls, token
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    def from_kubeconfig(cls, path: Path) -> Upstream:
        """The current context. Raises OSError, KeyError or StopIteration when the file does not say enough."""
        config = yaml.safe_load(path.read_text())
        context = _named(config["contexts"], config["current-context"])["context"]
        cluster = _named(config["clusters"], context["cluster"])["cluster"]
        user = _named(config["users"], context["user"])["user"]
        return cls(cluster["server"], _tls(cluster, user), user.get("token", ""))

    async def close(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, ssl=self._tls if self._tls is not None else True)
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout)
        return self._session

    def _headers(self, given: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in given.items() if name.lower() not in HOP_BY_HOP}
        kept = {name: value for name, value in kept.items() if name.lower() != "accept-encoding"}
        return kept | ({"Authorization": f"Bearer {self._token}"} if self._token else {})

    @asynccontextmanager
    async def send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One request as it is; `path` includes the query, already quoted."""

        url = URL(self.server + path, encoded=True)
        async with self._open().request(
            method, url, data=io.BytesIO(body) if body else None, headers=self._headers(headers or {})
        ) as answer:
            yield answer

    async def request(
        self, method: str, path: str, body: JsonDict | None = None, content_type: str = "application/json"
    ) -> JsonDict:
        """JSON in, JSON out. Waits for a server that is not there. Raises ApiError, or ClientError in the end."""
        for _ in range(int(ABSENT_SECONDS / AGAIN_SECONDS)):
            try:
                return await self._request(method, path, body, content_type)
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(AGAIN_SECONDS)
        return await self._request(method, path, body, content_type)

    async def _request(self, method: str, path: str, body: JsonDict | None, content_type: str) -> JsonDict:
        data = json.dumps(body).encode() if body is not None else b""
        async with self.send(method, path, data, {"Content-Type": content_type}) as answer:
            document: JsonDict = json.loads(await answer.read() or b"{}")
            if answer.status >= 300:
                raise ApiError(answer.status, str(document.get("message", "")))
            return document

    async def merge(self, path: str, patch: JsonDict) -> JsonDict:
        """A merge patch."""
        return await self.request("PATCH", path, patch, "application/merge-patch+json")

    async def gone(self, path: str, options: JsonDict | None = None) -> None:
        """Delete; fine when it is gone already, or another object has the name by now."""
        try:
            await self.request("DELETE", path, options)
        except ApiError as error:
            if error.status not in {404, 409}:
                raise

    async def events(self, path: str, selector: str = "") -> AsyncIterator[tuple[str, JsonDict]]:
        """Every event from now on, beginning with ADDED for what is there. Watches again whenever a watch ends, also
        because the API server does; what was deleted meanwhile is told as DELETED, as it was seen last.
        """
        known: dict[str, JsonDict] = {}
        while True:
            try:
                async for event, body in self._listed_and_watched(path, selector, known):
                    yield event, body
            except (aiohttp.ClientError, OSError, ApiError, ValueError):
                await asyncio.sleep(AGAIN_SECONDS)

    async def _listed_and_watched(
        self, path: str, selector: str, known: dict[str, JsonDict]
    ) -> AsyncIterator[tuple[str, JsonDict]]:
        listed = await self.request("GET", f"{path}?{selector}")
        kind = listed["kind"].removesuffix("List")
        items = {item["metadata"]["uid"]: {"kind": kind} | item for item in listed.get("items") or ()}
        for uid in [uid for uid in known if uid not in items]:
            yield "DELETED", known.pop(uid)
        for uid, item in items.items():
            known[uid] = item
            yield "ADDED", item
        version = listed["metadata"]["resourceVersion"]
        query = f"{selector}&watch=true&allowWatchBookmarks=true&resourceVersion={version}"
        async with self.send("GET", f"{path}?{query}") as answer:
            async for line in lines(answer.content):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                if event["type"] != "BOOKMARK":
                    body = event["object"]
                    if event["type"] == "DELETED":
                        known.pop(body["metadata"]["uid"], None)
                    else:
                        known[body["metadata"]["uid"]] = body
                    yield event["type"], body


async def lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Whole lines of any length, each with its newline; ends with the stream, or with an error of it."""
    rest = b""
    try:
        async for chunk in content.iter_any():
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                yield line + b"\n"
    except (aiohttp.ClientError, OSError):
        return


def _named(items: list[JsonDict], name: str) -> JsonDict:
    return next(item for item in items if item["name"] == name)


def _tls(cluster: JsonDict, user: JsonDict) -> ssl.SSLContext | None:
    if not cluster["server"].startswith("https://"):
        return None
    context = ssl.create_default_context(cadata=_text(cluster, "certificate-authority"))
    certificate, key = _text(user, "client-certificate"), _text(user, "client-key")
    if certificate and key:
        # The ssl module takes a client's certificate from files only.
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(certificate + "\n" + key)
            file.flush()
            context.load_cert_chain(file.name)
    return context


def _text(holder: JsonDict, name: str) -> str | None:
    if f"{name}-data" in holder:
        return base64.b64decode(holder[f"{name}-data"]).decode()
    return Path(holder[name]).read_text() if name in holder else None
