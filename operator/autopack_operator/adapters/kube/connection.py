"""One authenticated connection pool to the API server, and its errors told apart."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTClientObject
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config

from autopack_operator.adapters.kube.errors import TooManyRequestsError, failure
from autopack_operator.adapters.kube.pace import Pace
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.ports.cluster import TransientError

REQUEST_TIMEOUT_SECONDS = 30.0
CONNECT_TIMEOUT_SECONDS = 10.0


class NoCredentialsError(Exception):
    """Nothing says where the API server is; the message names the fix."""


class Connection:
    """Requests to the API server: JSON in, JSON out, the port's exceptions on failure.

    `may_write` is asked the moment before each mutating request is sent.
    """

    def __init__(
        self,
        configuration: Configuration,
        rest: RESTClientObject | None = None,
        may_write: Callable[[], bool] = lambda: True,
        pace: Pace | None = None,
        *,
        spare: bool = False,
    ) -> None:
        self._configuration = configuration
        self._rest = _pool(configuration) if rest is None else rest
        self._may_write = may_write
        self._pace = pace or Pace(0, time.monotonic)
        self._slot = self._pace.spare_slot if spare else self._pace.slot

    @classmethod
    async def open(cls) -> Connection:
        """In-cluster credentials when there are any, else the kubeconfig that KUBECONFIG names.

        Raises NoCredentialsError.
        """
        configuration = Configuration()
        configuration.retries = False
        try:
            load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        except ConfigException:
            try:
                await load_kube_config(  # type: ignore[no-untyped-call]
                    config_file=os.environ.get("KUBECONFIG"), client_configuration=configuration
                )
            except ConfigException as error:
                raise NoCredentialsError(
                    f"no ServiceAccount is mounted, and the kubeconfig cannot be used ({error}); set KUBECONFIG"
                ) from error
        return cls(configuration)

    def fenced(self, may_write: Callable[[], bool]) -> Connection:
        """The same pool, for one who writes only while `may_write` says so.

        A process that was stopped (SIGSTOP, a paused machine) past its leadership goes on in the middle of whatever it
        was doing; what it had decided to write then, another leader may have done, and undone, long ago.
        """
        return Connection(self._configuration, self._rest, may_write, self._pace)

    def paced(self, per_second: float) -> Connection:
        """The same pool, for requests that are no more than so many a second together; 0 is no bound."""
        return Connection(self._configuration, self._rest, self._may_write, Pace(per_second, time.monotonic))

    def in_spare_time(self) -> Connection:
        """The same pool, for requests that can wait until those under the bound of `paced` leave some of it."""
        return Connection(self._configuration, self._rest, self._may_write, self._pace, spare=True)

    def crowded(self) -> bool:
        """Whether a request would wait for its slot under the bound of `paced`, behind others."""
        return self._pace.crowded()

    async def close(self) -> None:
        """Close the pool."""
        await self._rest.close()

    async def request(
        self,
        method: str,
        path: str,
        body: JsonDict | None = None,
        query: dict[str, str] | Callable[[], dict[str, str]] | None = None,
        seconds: float = REQUEST_TIMEOUT_SECONDS,
    ) -> JsonDict:
        """Send one request, within so many seconds; the waits that the server asks for are among them.

        A `query` that is a function is asked when the request has its slot.

        Raises ConflictError, AlreadyExistsError, GoneError, RejectedError or TransientError; the last also for a write
        that `may_write` forbids.
        """
        await self._slot()
        asked = query() if callable(query) else query
        url = self._configuration.host + path + ("?" + urlencode(asked) if asked else "")
        deadline = time.monotonic() + seconds
        while True:
            try:
                return await self._send(method, url, body, deadline - time.monotonic(), f"{method} {path}")
            except TooManyRequestsError as error:
                if time.monotonic() + error.wait_seconds >= deadline:
                    raise
                await asyncio.sleep(error.wait_seconds)

    async def _send(self, method: str, url: str, body: JsonDict | None, seconds: float, what: str) -> JsonDict:
        headers = await self._headers()
        if method != "GET" and not self._may_write():
            raise TransientError(f"{what}: not sent, because this process no longer leads")
        try:
            response = await self._rest.request(  # type: ignore[no-untyped-call]
                method,
                url,
                headers=headers,
                body=body,
                _request_timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_TIMEOUT_SECONDS),
            )
            data = await response.read()
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise TransientError(f"{what}: {type(error).__name__} {error}".rstrip()) from error
        document = _parse(data)
        if not 200 <= response.status < 300:
            shown = {"message": data[:200].decode(errors="replace")} if document is None else document
            raise failure(response.status, shown, response.headers, what)
        if document is None:
            raise TransientError(f"{what}: the answer is not a JSON object")
        return document

    async def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json", "User-Agent": "autopack-operator"}
        token = await self._configuration.get_api_key_with_prefix("BearerToken", "authorization")
        if token:
            headers["authorization"] = token
        return headers


def _pool(configuration: Configuration) -> RESTClientObject:
    """A pool of connections; the proxy is the kubeconfig's, else the one that the environment names at this moment.

    The client would have aiohttp read the environment and .netrc for each request, in a thread: an eighth of the
    operator's CPU time.
    """
    configuration.client_session_kwargs = (configuration.client_session_kwargs or {}) | {"trust_env": False}
    configuration.proxy = configuration.proxy or proxy_for(configuration.host)
    return RESTClientObject(configuration)


def proxy_for(url: str) -> str | None:
    """The proxy that http_proxy, https_proxy and no_proxy name for that address; None when it is asked directly."""
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get(parts.scheme)


def _parse(data: bytes) -> JsonDict | None:
    try:
        document = json.loads(data)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def path(group: str, namespace: str, plural: str, name: str = "", subresource: str = "") -> str:
    """`group` is `v1` for the core group, else `<group>/<version>`."""
    root = "/api/v1" if group == "v1" else f"/apis/{group}"
    parts = [root, "namespaces", quote(namespace, safe=""), plural]
    parts += [quote(part, safe="") for part in (name, subresource) if part]
    return "/".join(parts)
