"""The HTTP service: routes, and how everything is put together."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from autopack.errors import AutopackError, InvalidInput
from autopack.git.urls import check_repo_url
from autopack.log import log
from autopack.service_tokens.cluster_keys import issuer_of_own_token, keys_of_api_server
from autopack.service_tokens.tokens import KeyCache, TokenVerifier, Verifier
from autopack_volume.contract import routes
from autopack_volume.service.answers import failed
from autopack_volume.service.attempts.commits import Commits
from autopack_volume.service.attempts.prepare import Attempts
from autopack_volume.service.attempts.requests import parse_attempt, parse_commit
from autopack_volume.service.attempts.trash import Trash
from autopack_volume.service.attempts.unfinished import unfinished
from autopack_volume.service.jobs import Jobs
from autopack_volume.service.metrics import Metrics
from autopack_volume.service.reading.forecasts import Forecasts
from autopack_volume.service.reading.routes import add_reading
from autopack_volume.service.retention.inventory import bytes_by_kind
from autopack_volume.service.retention.tidying import Tidying
from autopack_volume.service.settings import Settings
from autopack_volume.service.sources.hosts import Hosts
from autopack_volume.service.sources.mirrors import Mirrors
from autopack_volume.service.sources.probe import Probe
from autopack_volume.service.sources.refresh import Refresher

from .loopback import door, only_local_names
from .middlewares import authenticated, observed, respond

_MAX_BODY = 2 << 20
"""A prompt of 256 KiB has up to six times as many bytes as a JSON string."""
_TRASH_SECONDS = 60


def run(environ: Mapping[str, str]) -> int:
    """Serve until SIGTERM; return the exit code. Raises InvalidInput when the environment is wrong."""
    os.umask(0o002)
    settings = Settings.from_environment(environ)
    if not settings.allowed_callers:
        fix = "Name the operator's: system:serviceaccount:<namespace>:<name>"
        raise InvalidInput("AUTOPACK_ALLOWED_CALLERS", "names nobody who may call", fix)
    keys, issuer = KeyCache(keys_of_api_server(environ)), issuer_of_own_token()
    callers = TokenVerifier(keys, issuer, settings.audience, settings.allowed_callers)
    readers = TokenVerifier(keys, issuer, settings.audience, settings.allowed_callers | settings.allowed_readers)
    log("info", "the volume service starts", listen=f"{settings.host}:{settings.port}", root=settings.root)
    service = Service(settings, callers, readers)
    app = service.app()
    app.cleanup_ctx.append(door(service.loopback_app(), settings.read_host, settings.read_port))
    web.run_app(
        app,
        host=settings.host,
        port=settings.port,
        print=None,
        access_log=None,
        shutdown_timeout=5,
    )
    return 0


class Service:
    """One volume's service. `callers` decides who may change anything, `readers` (default: the same) who may GET."""

    def __init__(self, settings: Settings, callers: Verifier, readers: Verifier | None = None) -> None:
        self._settings = settings
        self._callers = callers
        self._readers = readers or callers
        self._metrics = Metrics()
        self._observed = observed(self._metrics.requests)
        self._trash = Trash(settings.root)
        self._jobs = Jobs(settings.answer_within)
        self._forecasts = Forecasts(self._jobs)
        self._fetches = ThreadPoolExecutor(settings.fetch_threads, thread_name_prefix="fetch")
        self._files = ThreadPoolExecutor(settings.file_threads, thread_name_prefix="file")
        # Readers wait for each other, never a run for readers.
        self._reads = ThreadPoolExecutor(settings.read_threads, thread_name_prefix="read")
        mirrors, refresher = Mirrors(settings), Refresher()
        hosts = Hosts(doubtful=max(1, settings.fetch_threads // 2))
        self._probe = Probe(mirrors, hosts, self._fetches)
        self._attempts = Attempts(settings.root, mirrors, refresher, hosts, self._fetches, self._files, self._metrics)
        self._tidying = Tidying(settings.root, mirrors, settings.retention)
        self._commits = Commits(settings.root, mirrors, refresher, self._files, self._metrics, self._trash)

    def app(self) -> web.Application:
        """Return the application with all routes."""
        app = web.Application(
            middlewares=[self._observed, authenticated(self._callers, self._readers)], client_max_size=_MAX_BODY
        )
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._exposition)
        app.router.add_get(routes.ATTEMPTS, self._unfinished)
        app.router.add_put(routes.ATTEMPT, self._prepare)
        app.router.add_post(routes.COMMIT, self._commit)
        app.router.add_get(routes.SOURCE, self._source)
        add_reading(app, self._settings.root, self._reads, self._forecasts)
        app.cleanup_ctx.append(self._background)
        return app

    def loopback_app(self) -> web.Application:
        """Return the application for readers in the pod itself: no token, nothing but reading."""
        app = web.Application(middlewares=[self._observed, only_local_names], client_max_size=_MAX_BODY)
        app.router.add_get(routes.SOURCE, self._source)
        add_reading(app, self._settings.root, self._reads, self._forecasts)
        return app

    async def _background(self, _: web.Application) -> AsyncIterator[None]:
        await asyncio.to_thread(self._trash.collect)
        janitors = [asyncio.create_task(self._empty_trash()), asyncio.create_task(self._tidy())]
        yield
        for janitor in janitors:
            janitor.cancel()
        await asyncio.gather(*janitors, return_exceptions=True)
        await self._jobs.stop()
        self._fetches.shutdown(wait=False, cancel_futures=True)
        self._files.shutdown(wait=False, cancel_futures=True)
        self._reads.shutdown(wait=False, cancel_futures=True)

    async def _empty_trash(self) -> None:
        """Delete what was discarded, now and by a process before us."""
        while True:
            self._commits.discarded.clear()
            try:
                await asyncio.to_thread(self._trash.empty)
            except OSError as error:
                log("warning", "the trash could not be emptied", error=str(error))
                await asyncio.sleep(_TRASH_SECONDS)
            else:
                await self._commits.discarded.wait()

    async def _tidy(self) -> None:
        """Remove what has been kept long enough, and measure what takes up the volume, now and then."""
        while True:
            await asyncio.sleep(self._settings.tidy_seconds)
            try:
                if await asyncio.to_thread(self._tidy_once):
                    self._commits.discarded.set()
            except (AutopackError, OSError) as error:
                log("warning", "the volume could not be tidied", error=str(error))

    def _tidy_once(self) -> int:
        """Return how much was removed."""
        removed = list(self._tidying.tidy()) if self._settings.retention.removes_something else []
        for removal in removed:
            log("info", "removed from the volume", **removal._asdict())
            self._metrics.removed.labels(removal.kind).inc()
        for kind, size in bytes_by_kind(self._settings.root).items():
            self._metrics.bytes.labels(kind).set(size)
        return len(removed)

    async def _livez(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        # In a thread: a network file system may not answer.
        if not await asyncio.to_thread(os.access, self._settings.root, os.R_OK | os.W_OK | os.X_OK):
            return web.Response(status=503, text="the volume is not writable\n")
        if not await self._callers.ready():
            return web.Response(status=503, text="the API server's keys are not known\n")
        return web.Response(text="ok\n")

    async def _exposition(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics.exposition(), content_type="text/plain", charset="utf-8")

    async def _unfinished(self, _: web.Request) -> web.Response:
        found = await asyncio.get_running_loop().run_in_executor(self._files, unfinished, self._settings.root)
        return web.json_response({"unfinished": found})

    async def _source(self, request: web.Request) -> web.Response:
        url, settings = request.query.get("url", ""), self._settings
        try:
            check_repo_url(url, settings.protocols, allow_loopback=settings.allow_loopback)
        except AutopackError as error:
            return respond(failed(error))
        return respond(await self._jobs.answer(("source", url), lambda: self._probe.answer(url)))

    async def _prepare(self, request: web.Request) -> web.Response:
        uid, attempt = request.match_info["uid"], request.match_info["attempt"]
        try:
            wanted = parse_attempt(
                uid,
                attempt,
                await request.read(),
                self._settings.protocols,
                allow_loopback=self._settings.allow_loopback,
            )
        except AutopackError as error:
            return respond(failed(error))
        return respond(await self._jobs.answer(wanted, lambda: self._attempts.prepare(wanted)))

    async def _commit(self, request: web.Request) -> web.Response:
        uid, attempt = request.match_info["uid"], request.match_info["attempt"]
        try:
            wanted = parse_commit(uid, attempt, await request.read())
        except AutopackError as error:
            return respond(failed(error))
        return respond(await self._jobs.answer(wanted, lambda: self._commits.commit(wanted)))
