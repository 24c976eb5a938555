"""The door for people: readers on the pod's own loopback address, without a token.

Only `kubectl port-forward` (or `exec`) gets there, so Kubernetes' own rules decide who reads: docs/adr/0005.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from autopack_volume.service.answers import failure
from autopack_volume.service.reading.sending import as_json

_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def only_local_names(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Refuse what a browser sends here for a page of elsewhere: its name may have been pointed at 127.0.0.1."""
    try:
        name = urlsplit(f"//{request.headers.get('Host', '')}").hostname
    except ValueError:
        name = None
    if name not in _HOSTS:
        return as_json(failure("Denied", "the Host is not this machine"), 403)
    return await handler(request)


def door(app: web.Application, host: str, port: int) -> Callable[[web.Application], AsyncIterator[None]]:
    """Return a context (for `cleanup_ctx` of the main application) that serves `app` at a loopback address."""

    async def context(_: web.Application) -> AsyncIterator[None]:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=5)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            yield
        finally:
            await runner.cleanup()

    return context
