"""GET /livez, /readyz, /metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiohttp import web

Check = Callable[[], str | None]
"""None when all is well, else what is wrong."""


class Endpoints:
    """A small HTTP server."""

    def __init__(self, listen: str, liveness: Mapping[str, Check], ready: Check, metrics: Callable[[], bytes]) -> None:
        host, _, port = listen.rpartition(":")
        self._host, self._port = host.strip("[]"), int(port)
        self._liveness, self._ready, self._metrics = liveness, ready, metrics
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen; returns at once."""
        app = web.Application()
        app.add_routes(
            [web.get("/livez", self._livez), web.get("/readyz", self._readyz), web.get("/metrics", self._metricsz)]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _livez(self, _: web.Request) -> web.Response:
        wrong = {name: text for name, check in self._liveness.items() if (text := check()) is not None}
        lines = [f"[-] {name}: {text}" for name, text in wrong.items()] or ["ok"]
        return web.Response(status=500 if wrong else 200, text="\n".join(lines) + "\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        wrong = self._ready()
        return web.Response(status=503 if wrong else 200, text=(wrong or "ok") + "\n")

    async def _metricsz(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})
