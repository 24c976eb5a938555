"""The list of runs, narrowed and in pages, and the same as CSV."""

from __future__ import annotations

import csv
import io

from aiohttp import web

from autopack.phases import Phase
from autopack.registry.reader import RunFilter, RunSummary
from autopack_dashboard.pages import asking
from autopack_dashboard.pages.view import View, moment, run_url
from autopack_dashboard.rows import Rows

_MOST_EXPORTED = 10_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class RunsPages:
    """`/runs` and `/runs.csv`."""

    def __init__(self, view: View, rows: Rows, only: tuple[str, str] | None) -> None:
        self._view, self._rows, self._only = view, rows, only

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/", self._home),
            web.get("/runs", self._list),
            web.get("/runs.csv", self._export),
        ]

    async def _home(self, _: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/batches" if self._only is None else run_url(*self._only))

    async def _list(self, request: web.Request) -> web.StreamResponse:
        wanted, after = asking.run_filter(request), asking.cursor(request)
        runs = await self._rows.runs(wanted, after, asking.PAGE + 1)
        counts = await self._rows.count_by_state(RunFilter(None, wanted.batch_id, wanted.text, wanted.run_id))
        more = len(runs) > asking.PAGE
        runs = runs[: asking.PAGE]
        asked = {"state": wanted.state, "batch": wanted.batch_id, "q": wanted.text, "run": wanted.run_id}
        return self._view.page(
            request,
            "runs.html",
            {
                "runs": runs,
                "asked": asked,
                "states": list(Phase),
                "counts": counts,
                "total": sum(counts.values()),
                "older": asked | {"after": asking.cursor_after(runs[-1])} if more else None,
                "is_first": after is None,
            },
        )

    async def _export(self, request: web.Request) -> web.StreamResponse:
        runs = await self._rows.runs(asking.run_filter(request), None, _MOST_EXPORTED)
        headers = {"Content-Disposition": 'attachment; filename="runs.csv"'}
        return web.Response(text=as_csv(runs), content_type="text/csv", charset="utf-8", headers=headers)


def as_csv(runs: list[RunSummary]) -> str:
    """Return runs as CSV in which no cell is a formula, whatever a run is called."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["run", "batch", "state", "reason", "attempt", "exit code", "started", "finished"])
    for run in runs:
        cells = [run.run_id, run.batch_id, run.state, run.reason, run.attempt, run.exit_code]
        writer.writerow([*map(_cell, cells), moment(run.started_at), moment(run.finished_at)])
    return out.getvalue()


def _cell(value: str | int | None) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
