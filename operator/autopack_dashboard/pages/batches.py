"""The list of batches, and one batch: its runs, its timeline, the forecast of merges."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from aiohttp import web

from autopack.merge_forecast import Conflict, MergeForecast
from autopack.phases import Phase
from autopack.registry.reader import BatchSummary, RunFilter, RunSummary
from autopack_dashboard.pages import asking
from autopack_dashboard.pages.problems import not_found
from autopack_dashboard.pages.view import View, now
from autopack_dashboard.ports import Files, NotThereError
from autopack_dashboard.rows import Rows
from autopack_dashboard.timeline import layout

_MOST_SHOWN = 500
_MOST_FORECAST = 24
_FORECAST_SECONDS = 8.0


class BatchPages:
    """`/batches`, `/batches/<name>` and `/batches/<name>/forecast`."""

    def __init__(self, view: View, rows: Rows, files: Files) -> None:
        self._view, self._rows, self._files = view, rows, files

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/batches", self._list),
            web.get("/batches/{batch}", self._batch),
            web.get("/batches/{batch}/forecast", self._forecast),
        ]

    async def _list(self, request: web.Request) -> web.StreamResponse:
        after = asking.text(request, "after")
        batches = await self._rows.batches(after, asking.PAGE + 1)
        older = batches[asking.PAGE - 1].batch_id if len(batches) > asking.PAGE else None
        values = {"batches": batches[: asking.PAGE], "older": older, "is_first": after is None}
        return self._view.page(request, "batches.html", values)

    async def _batch(self, request: web.Request) -> web.StreamResponse:
        batch, runs = await self._found(request)
        values = {
            "batch": batch,
            "runs": runs[:_MOST_SHOWN],
            "cut": len(runs) > _MOST_SHOWN,
            "timeline": layout(runs[:_MOST_SHOWN], now()),
            "mergeable": len(_mergeable(runs)),
        }
        return self._view.page(request, "batch.html", values)

    async def _forecast(self, request: web.Request) -> web.StreamResponse:
        batch, runs = await self._found(request)
        tried = _mergeable(runs)[:_MOST_FORECAST]
        forecast, problem = None, ""
        if tried:
            try:
                async with asyncio.timeout(_FORECAST_SECONDS):
                    forecast = await self._files.forecast(tried)
            except NotThereError as error:
                problem = str(error)
            except TimeoutError:
                problem = "the merge forecast takes a while; try again in a minute"
        values = {
            "batch": batch,
            "tried": tried,
            "left_out": len(_mergeable(runs)) - len(tried),
            "forecast": forecast,
            "problem": problem,
            "matrix": matrix(forecast, [run.run_id for run in tried]) if forecast else [],
            "scopes": {run.run_id: run.scope for run in tried},
        }
        return self._view.page(request, "forecast.html", values)

    async def _found(self, request: web.Request) -> tuple[BatchSummary, list[RunSummary]]:
        name = request.match_info["batch"]
        batch = None if "\0" in name else await self._rows.batch(name)
        if batch is None:
            raise not_found("batch")
        # A batch of the same name may have been there before.
        since = batch.created_at - timedelta(seconds=1) if batch.created_at is not None else None
        runs = await self._rows.runs(RunFilter(batch_id=name, since=since), None, _MOST_SHOWN + 1)
        return batch, runs


def _mergeable(runs: list[RunSummary]) -> list[RunSummary]:
    return sorted((run for run in runs if run.state == Phase.SUCCEEDED and run.attempt), key=lambda run: run.run_id)


def matrix(forecast: MergeForecast, names: list[str]) -> list[tuple[str, list[Conflict | None]]]:
    """Return a row for each run: how it merges with the base and with each run before it; None is cleanly."""
    found = {frozenset((clash.first, clash.second)): clash for clash in forecast.conflicts}
    return [
        (name, [found.get(frozenset((other, name))) for other in [forecast.base, *names[:place]]])
        for place, name in enumerate(names)
    ]
