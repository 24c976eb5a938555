"""Stands between one operator process, the API server and the volume service, and does what is planned."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
from aiohttp import web

from faults.calls import Call, Names, describe
from faults.injector import STALE_SECONDS, Injector
from faults.plan import Fault, Kind
from faults.upstream import Upstream, lines
from faults.watches import DisturbedWatch, WatchCutError

JsonDict = dict[str, Any]

FORBIDDEN = 403
REASONS = {409: "Conflict", 410: "Expired", 429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable"}


class Victim(Protocol):
    """The operator process behind a proxy, and what can be done around it."""

    def kill(self) -> None:
        """SIGKILL."""

    def stop(self) -> None:
        """SIGSTOP."""

    async def replaced(self) -> None:
        """Return once another process leads (after a kill), or has taken over (after a stop)."""

    async def disturb(self, fault: Fault, call: Call) -> None:
        """Do what is not about the request itself: rob or delete the leader's Lease, force-delete a pod."""


@dataclass(frozen=True)
class Answer:
    """An answer of the API server, read to its end."""

    status: int
    headers: dict[str, str]
    body: bytes

    def response(self) -> web.Response:
        """For the operator."""
        return web.Response(status=self.status, headers=self.headers, body=self.body)


@dataclass(frozen=True)
class Upstreams:
    """Where requests go. `user` is whom the API server takes the operator for: its ServiceAccount, with its rights."""

    api: Upstream
    volume: Upstream
    user: str = ""

    def of(self, path: str) -> Upstream:
        """The volume service's paths begin with /v1/."""
        return self.volume if path.startswith("/v1/") else self.api

    def headers(self, request: web.Request) -> dict[str, str]:
        """The request's own, and the impersonation."""
        given = dict(request.headers)
        if not self.user or request.path.startswith("/v1/"):
            return given
        return given | {"Impersonate-User": self.user, "Impersonate-Group": "system:authenticated"}


class Proxy:
    """An HTTP server on loopback; `injector` gives the trial under way, `victim` the process that is served."""

    def __init__(
        self, upstreams: Upstreams, injector: Callable[[], Injector], names: Names, identity: str, victim: Victim
    ) -> None:
        self._upstreams, self._injector, self._names = upstreams, injector, names
        self._identity, self._victim = identity, victim
        self._runner: web.AppRunner | None = None
        self.url = ""
        self.watching: Counter[str] = Counter()
        """Watches that are open, by resource."""
        self.asked: set[tuple[str, str]] = set()
        """(resource, verb) of every request so far, as RBAC calls them."""
        self.refused: set[tuple[str, str]] = set()
        """Of those that the API server has answered with 403."""

    async def start(self) -> None:
        """Listen on a free port."""
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening; connections are cut."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._answer(request)
        except (aiohttp.ClientError, OSError):
            # Who is behind us is not there, and neither are we.
            return cut(request)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        call = describe(request.method, request.raw_path, body, self._names)
        if call is None:
            return (await self._forward(request, body)).response()
        self.asked.add(right(call))
        fault = self._injector().on_call(call, self._identity)
        if call.verb == "watch":
            return await self._watch(request, call)
        if fault is not None:
            return await self._disturbed(request, call, body, fault)
        return (await self._forward(request, body, call)).response()

    async def _forward(self, request: web.Request, body: bytes, call: Call | None = None) -> Answer:
        path = request.raw_path
        injector = self._injector()
        if call is not None and call.verb == "list" and injector.stale:
            path = in_the_past(path, injector.stale_at)
        headers = self._upstreams.headers(request)
        async with self._upstreams.of(path).send(request.method, path, body, headers) as answer:
            data = await answer.read()
            kept = {"Content-Type": answer.headers.get("Content-Type", "application/json")}
            if "Retry-After" in answer.headers:
                kept["Retry-After"] = answer.headers["Retry-After"]
        if call is not None and answer.status == FORBIDDEN:
            self.refused.add(right(call))
        if call is not None and call.mutating and injector.normalised(call.name) is not None:
            self._remember_version(injector, data)
        return Answer(answer.status, kept, data)

    def _remember_version(self, injector: Injector, data: bytes) -> None:
        with suppress(ValueError, KeyError, TypeError):
            injector.versions.append(json.loads(data)["metadata"]["resourceVersion"])

    async def _disturbed(self, request: web.Request, call: Call, body: bytes, fault: Fault) -> web.StreamResponse:
        async def forward() -> Answer:
            return await self._forward(request, body, call)

        match fault.kind:
            case Kind.STATUS:
                return refusal(call, fault.code)
            case Kind.RESET_BEFORE:
                return cut(request)
            case Kind.RESET_AFTER:
                await forward()
                return cut(request)
            case Kind.DELAY:
                await asyncio.sleep(fault.seconds)
                return (await forward()).response()
            case Kind.KILL_BEFORE | Kind.KILL_STALE:
                self._victim.kill()
                return cut(request)
            case Kind.KILL_AFTER:
                await forward()
                self._victim.kill()
                return cut(request)
            case Kind.KILL_LATE | Kind.STOP_LATE:
                return await self._late(request, fault, forward)
            case Kind.DISK_FULL:
                await self._victim.disturb(fault, call)
                return (await forward()).response()
            case Kind.STOP_AFTER:
                answer = await forward()
                self._victim.stop()
                return answer.response()
            case _:
                answer = await forward()
                await self._victim.disturb(fault, call)
                return answer.response()

    async def _late(
        self, request: web.Request, fault: Fault, forward: Callable[[], Awaitable[Answer]]
    ) -> web.StreamResponse:
        """The request was on its way when its sender stopped; it arrives when another has long taken over."""
        if fault.kind is Kind.KILL_LATE:
            self._victim.kill()
        else:
            self._victim.stop()
        await self._victim.replaced()
        await asyncio.sleep(fault.seconds)
        await forward()
        return cut(request)

    async def _watch(self, request: web.Request, call: Call) -> web.StreamResponse:
        while self._injector().stale:
            # A server that is behind has no news either.
            await asyncio.sleep(STALE_SECONDS / 20)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        watch = DisturbedWatch(call.resource, self._injector)
        headers = self._upstreams.headers(request)
        async with self._upstreams.api.send("GET", request.raw_path, headers=headers) as answer:
            if answer.status == FORBIDDEN:
                self.refused.add(right(call))
            if answer.status != 200:
                return Answer(answer.status, {"Content-Type": "application/json"}, await answer.read()).response()
            await response.prepare(request)
            self.watching[call.resource] += 1
            try:
                async for line in watch.pass_on(lines(answer.content)):
                    await response.write(line)
            except WatchCutError as cut_off:
                await response.write(cut_off.last)
                return cut(request, response)
            except (aiohttp.ClientError, ConnectionError):
                return cut(request, response)
            finally:
                self.watching[call.resource] -= 1
        return response


def right(call: Call) -> tuple[str, str]:
    """What RBAC has to grant for it: resource and verb."""
    return call.resource, "list" if call.verb == "probe" else call.verb


def in_the_past(path: str, version: str) -> str:
    """The same LIST as it was answered at that version."""
    parts = urlsplit(path)
    query = dict(parse_qsl(parts.query)) | {"resourceVersion": version, "resourceVersionMatch": "Exact"}
    return f"{parts.path}?{urlencode(query)}"


def refusal(call: Call, code: int) -> web.Response:
    """As the API server refuses."""
    reason = "AlreadyExists" if code == 409 and call.verb == "create" else REASONS[code]
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code}
    headers = {"Retry-After": "1"} if code == 429 else {}
    return web.json_response(
        body | {"message": f"planned fault at {call.verb} {call.name}"}, status=code, headers=headers
    )


def cut(request: web.Request, response: web.StreamResponse | None = None) -> web.StreamResponse:
    """Reset the connection without (the rest of) an answer."""
    if request.transport is not None:
        request.transport.abort()
    return response if response is not None else web.Response(status=502)
