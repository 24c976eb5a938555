"""One run: how it is, what happened, what it left."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from autopack.registry.reader import RunDetail
from autopack_dashboard import baselines, leases, texts
from autopack_dashboard.pages import asking
from autopack_dashboard.pages.view import View
from autopack_dashboard.ports import Files, Listing, NotThereError
from autopack_dashboard.rows import Rows

_TAIL = 16 << 10
_TAIL_LINES = 40
_MOST_SHOWN = 200
_MOST_OF_A_REPORT = 8 << 20
_SECONDS = 8.0


class RunPages:
    """`/runs/<scope>/<run>`."""

    def __init__(self, view: View, rows: Rows, files: Files) -> None:
        self._view, self._rows, self._files = view, rows, files

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.get("/runs/{scope}/{run_id}", self._run)]

    async def _run(self, request: web.Request) -> web.StreamResponse:
        run = await asking.run_of(request, self._rows)
        attempt = asking.attempt_of(request, run)
        values: dict[str, Any] = {
            "run": run,
            "attempt": attempt,
            "attempts": leases.attempts(run.steps),
            "holds": leases.holds(run.steps),
            "log": [],
            "listing": None,
            "shown": [],
            "delta": None,
            "problem": "",
        }
        if run.summary.attempt:
            try:
                async with asyncio.timeout(_SECONDS):
                    values |= await self._left(run, attempt)
            except NotThereError as error:
                values["problem"] = str(error)
            except TimeoutError:
                values["problem"] = "its files cannot be read just now"
        return self._view.page(request, "run.html", values)

    async def _left(self, run: RunDetail, attempt: int) -> dict[str, Any]:
        listing, log = await asyncio.gather(
            self._files.listing(run, attempt), self._files.log(run, attempt, "stdout", _TAIL)
        )
        lines = texts.lines_of(log.data, cut_first=log.offset > 0)[-_TAIL_LINES:]
        delta = await self._delta(run, attempt, listing)
        return {"listing": listing, "shown": listing.artifacts[:_MOST_SHOWN], "log": lines, "delta": delta}

    async def _delta(self, run: RunDetail, attempt: int, listing: Listing) -> baselines.Delta | None:
        sources = baselines.sources(listing.artifacts)
        if sources.baseline is None:
            return None
        try:
            baseline, report, retry = [
                None if path is None else await self._files.content(run, attempt, path, _MOST_OF_A_REPORT)
                for path in (sources.baseline, sources.report, sources.retry)
            ]
        except NotThereError:
            return None
        return None if baseline is None else baselines.delta(baseline, report, retry)
