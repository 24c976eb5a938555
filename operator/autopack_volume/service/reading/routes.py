"""The routes of readers: GET alone, nothing on the volume changes by it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from pathlib import Path

from aiohttp import web

from autopack.errors import AutopackError
from autopack.log import log
from autopack_volume.contract import routes
from autopack_volume.service.answers import failure

from .files import FileReader
from .forecasts import Forecasts
from .sending import as_json, refusal
from .work import WorkReader

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_reading(app: web.Application, root: Path, threads: Executor, forecasts: Forecasts) -> None:
    """Add the routes; `threads` read files and wait for git."""
    files = FileReader(root, threads)
    work = WorkReader(root, threads, forecasts)
    for path, handler in (
        (routes.RUN, files.run),
        (routes.ATTEMPT, files.attempt),
        (routes.ARTIFACTS, files.artifacts),
        (routes.ARTIFACT, files.artifact),
        (routes.LOG, files.log),
        (routes.BUNDLE, work.bundle),
        (routes.DIFF, work.diff),
        (routes.FORECAST, work.forecast),
    ):
        app.router.add_get(path, _refusing(handler))


def _refusing(handler: _Handler) -> _Handler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except AutopackError as error:
            return refusal(error)
        except ConnectionError:
            raise
        except OSError as error:
            log("error", "the volume could not be read", error=str(error))
            return as_json(failure("TransientVolumeError", "try again"), 503)

    return guarded
