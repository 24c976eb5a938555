"""Server-sent events: a page learns that there is something new and loads itself again. And the probes."""

from __future__ import annotations

import asyncio
import time

from aiohttp import web

from autopack_dashboard.changes import Changes

_KEEP_ALIVE_SECONDS = 15.0
_LIVES_SECONDS = 300.0
"""A connection ends after so long: the browser comes back, and is asked again who it is."""

_MOST = 200


class LivePages:
    """`/events`, `/livez` and `/readyz`."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._open: set[asyncio.Event] = set()
        self._ending = False

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.get("/events", self._events), web.get("/livez", self._livez), web.get("/readyz", self._readyz)]

    def end(self) -> None:
        """Let all connections end: the process stops."""
        self._ending = True
        for event in self._open:
            event.set()

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if len(self._open) >= _MOST:
            raise web.HTTPServiceUnavailable(reason="Too many pages are open")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        until = time.monotonic() + _LIVES_SECONDS
        with self._changes.listening() as changed:
            self._open.add(changed)
            try:
                await response.write(b"retry: 3000\n\n")
                while time.monotonic() < until and not self._ending:
                    try:
                        async with asyncio.timeout(_KEEP_ALIVE_SECONDS):
                            await changed.wait()
                    except TimeoutError:
                        await response.write(b": still here\n\n")
                    else:
                        changed.clear()
                        await response.write(b"event: changed\ndata: \n\n")
            except ConnectionError:
                pass
            finally:
                self._open.discard(changed)
        return response

    async def _livez(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        # A registry without tables yet, or away for now, is said on the pages: they say it better than no answer.
        return web.Response(text="ok\n")
