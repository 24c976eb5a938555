"""The HTTP service: routes, and how everything is put together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from aiohttp import web

from autopack.log import log
from autopack.service_tokens.tokens import DeniedError
from autopack_gateway.contract import reasons, routes
from autopack_gateway.service.leadership.leader import Leader
from autopack_gateway.service.ledger.files import FencedError
from autopack_gateway.service.ledger.journal import Journal
from autopack_gateway.service.metrics import Metrics
from autopack_gateway.service.providers import Provider
from autopack_gateway.service.settings import Limits

from .answers import RefusedError, failure, not_active, refusal
from .asking import ask, grant_for
from .callers import Callers, bearer, token_of
from .grants import Grants
from .passing import Passing

LARGEST_BODY = 64 << 20
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Service:
    """One gateway."""

    def __init__(self, providers: Mapping[str, Provider], callers: Callers, leader: Leader, limits: Limits) -> None:
        self._providers, self._callers, self._leader = providers, callers, leader
        self._metrics = Metrics()
        self._passing = Passing(providers, limits, self._metrics)
        self._grants = Grants(self._journal, self._passing.governors)
        self._ends = False

    def app(self) -> web.Application:
        """Return the application with all routes."""
        app = web.Application(middlewares=[self._answer], client_max_size=LARGEST_BODY)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._exposition)
        app.router.add_route("*", routes.MODELS, self._models)
        self._grants.add_routes(app)
        app.cleanup_ctx.append(self._lead)
        app.on_shutdown.append(self._end)
        return app

    async def _lead(self, _: web.Application) -> AsyncIterator[None]:
        leading = asyncio.create_task(self._leader.lead())
        yield
        leading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await leading
        await self._passing.close()
        await self._leader.close()

    async def _end(self, _: web.Application) -> None:
        """Take nothing new; what is under way has the time that the server gives it."""
        self._ends = True

    def _journal(self) -> Journal | None:
        return None if self._ends else self._leader.journal

    @web.middleware
    async def _answer(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            if request.path.startswith("/v1/"):
                await self._callers.operator(bearer(request.headers))
            return await handler(request)
        except RefusedError as error:
            self._metrics.refused.labels(error.reason).inc()
            return refusal(error)
        except DeniedError as error:
            log("warning", "a caller was denied", path=request.path, error=str(error))
            return failure(error.status, "Denied", str(error))
        except FencedError:
            return refusal(not_active())

    async def _models(self, request: web.Request) -> web.StreamResponse:
        journal = self._journal()
        if journal is None:
            raise not_active()
        pod = await self._pod(request)
        grant = grant_for(journal.books, pod)
        provider = self._providers.get(request.match_info["provider"])
        if provider is None:
            message = "This installation has no provider of that name."
            raise RefusedError(403, reasons.MODEL_NOT_ALLOWED, message)
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge as error:
            message = f"The request is longer than {LARGEST_BODY >> 20} MiB."
            raise RefusedError(413, reasons.TOO_LARGE, message) from error
        asked = ask(provider, grant, request.method, request.match_info["rest"], body)
        return await self._passing.serve(request, asked, pod, self._journal)

    async def _pod(self, request: web.Request) -> str:
        token = token_of(request)
        try:
            if not token:
                raise DeniedError(401, "a token is needed")
            return await self._callers.pod(token)
        except DeniedError as error:
            if error.status == 503:
                raise RefusedError(503, reasons.NOT_ACTIVE, f"{error}.", again=True) from error
            raise RefusedError(401, reasons.NOT_GRANTED, f"{error}.") from error

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        if self._journal() is None:
            return web.Response(status=503, text="this gateway is not the active one\n")
        if not await self._callers.ready():
            return web.Response(status=503, text="the API server's keys are not known\n")
        return web.Response(text="ok\n")

    async def _exposition(self, _: web.Request) -> web.Response:
        self._metrics.active.set(self._journal() is not None)
        for name, governor in self._passing.governors.items():
            state = governor.state
            self._metrics.width.labels(name).set(state.width)
            self._metrics.under_way.labels(name).set(state.under_way)
            self._metrics.waiting.labels(name).set(state.waiting)
        return web.Response(body=self._metrics.exposition(), content_type="text/plain", charset="utf-8")
