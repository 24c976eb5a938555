"""The HTTP service: its one route, and how everything is put together."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from autopack.errors import AutopackError, InvalidInput
from autopack.log import log
from autopack.service_tokens.cluster_keys import issuer_of_own_token, keys_of_api_server
from autopack.service_tokens.tokens import KeyCache, TokenVerifier, Verifier
from autopack_publisher.contract import routes
from autopack_volume.service.answers import failed
from autopack_volume.service.http.middlewares import authenticated, observed, respond
from autopack_volume.service.jobs import Jobs
from autopack_volume.service.sources.hosts import Hosts

from .deliveries import Connect, Deliveries, clear_scratch
from .metrics import Metrics
from .request import parse
from .settings import Settings

_MAX_BODY = 1 << 20


def run(environ: Mapping[str, str]) -> int:
    """Serve until SIGTERM; return the exit code. Raises InvalidInput when the environment is wrong."""
    settings = Settings.from_environment(environ)
    if not settings.allowed_callers:
        fix = "Name the operator's: system:serviceaccount:<namespace>:<name>"
        raise InvalidInput("AUTOPACK_ALLOWED_CALLERS", "names nobody who may call", fix)
    keys = KeyCache(keys_of_api_server(environ))
    callers = TokenVerifier(keys, issuer_of_own_token(), settings.audience, settings.allowed_callers)
    log("info", "the publisher starts", listen=f"{settings.host}:{settings.port}", root=settings.root)
    app = Service(settings, callers).app()
    web.run_app(app, host=settings.host, port=settings.port, print=None, access_log=None, shutdown_timeout=5)
    return 0


class Service:
    """One publisher. `callers` decides who may deliver; `host` makes what stands for a git host's API."""

    def __init__(self, settings: Settings, callers: Verifier, host: Connect | None = None) -> None:
        self._settings, self._callers, self._metrics = settings, callers, Metrics()
        self._jobs = Jobs(settings.answer_within)
        self._pushes = ThreadPoolExecutor(settings.threads, thread_name_prefix="push")
        self._files = ThreadPoolExecutor(4, thread_name_prefix="file")
        servers = Hosts(doubtful=settings.threads // 2)
        self._deliveries = Deliveries(settings, servers, self._pushes, self._files, host)

    def app(self) -> web.Application:
        """Return the application with all routes."""
        doors = [observed(self._metrics.requests), authenticated(self._callers, self._callers)]
        app = web.Application(middlewares=doors, client_max_size=_MAX_BODY)
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._exposition)
        app.router.add_put(routes.DELIVERY, self._deliver)
        app.cleanup_ctx.append(self._background)
        return app

    async def _background(self, _: web.Application) -> AsyncIterator[None]:
        await asyncio.to_thread(clear_scratch, self._settings.scratch)
        yield
        await self._jobs.stop()
        self._pushes.shutdown(wait=False, cancel_futures=True)
        self._files.shutdown(wait=False, cancel_futures=True)

    async def _livez(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        # In a thread: a network file system may not answer.
        if not await asyncio.to_thread(os.access, self._settings.root, os.R_OK | os.X_OK):
            return web.Response(status=503, text="the volume is not readable\n")
        if not await self._callers.ready():
            return web.Response(status=503, text="the API server's keys are not known\n")
        return web.Response(text="ok\n")

    async def _exposition(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics.exposition(), content_type="text/plain", charset="utf-8")

    async def _deliver(self, request: web.Request) -> web.Response:
        settings, raw = self._settings, await request.read()
        uid, attempt = request.match_info["uid"], request.match_info["attempt"]
        try:
            wanted = parse(uid, attempt, raw, settings.protocols, allow_loopback=settings.allow_loopback)
        except AutopackError as error:
            return respond(failed(error))
        # One at a time for each attempt; another wish for it is another job, and the lease decides between them.
        job = (uid, attempt, hashlib.sha256(raw).digest())
        answer = await self._jobs.answer(job, lambda: self._deliveries.deliver(wanted))
        self._metrics.answers.labels(str(answer.body["state"]), str(answer.body.get("reason", ""))).inc()
        return respond(answer)
