"""How the dashboard is put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from autopack_dashboard.access.doorman import Doorman, add_headers
from autopack_dashboard.access.gate import Gate
from autopack_dashboard.access.sessions import Sessions
from autopack_dashboard.changes import Changes
from autopack_dashboard.pages.batches import BatchPages
from autopack_dashboard.pages.live import LivePages
from autopack_dashboard.pages.login import LoginPages
from autopack_dashboard.pages.problems import explain_problems
from autopack_dashboard.pages.run import RunPages
from autopack_dashboard.pages.run_files import RunFilePages
from autopack_dashboard.pages.runs import RunsPages
from autopack_dashboard.pages.view import View
from autopack_dashboard.ports import Files
from autopack_dashboard.rows import Rows

STATIC = Path(__file__).parent / "static"
_MOST_OF_A_FORM = 64 << 10


@dataclass(frozen=True)
class Parts:
    """What a dashboard is made of. `title` says whose runs they are; without `gate` it is for this machine alone.

    `only`: scope and id of the one run there is, where a database holds no more.
    """

    rows: Rows
    files: Files
    gate: Gate | None
    title: str
    only: tuple[str, str] | None = None


def make_app(parts: Parts) -> web.Application:
    """Return the application."""
    sessions = Sessions()
    changes = Changes(parts.rows.version)
    view = View(parts.title)
    doorman = Doorman(parts.gate, sessions)
    app = web.Application(middlewares=[doorman.stand, explain_problems(view)], client_max_size=_MOST_OF_A_FORM)
    app.on_response_prepare.append(add_headers)
    app.router.add_static("/static/", STATIC)
    live = LivePages(changes)
    for pages in (
        BatchPages(view, parts.rows, parts.files),
        RunsPages(view, parts.rows, parts.only),
        RunPages(view, parts.rows, parts.files),
        RunFilePages(view, parts.rows, parts.files),
        LoginPages(view, parts.gate, sessions),
        live,
    ):
        app.add_routes(pages.routes())

    async def background(_: web.Application) -> AsyncIterator[None]:
        watching = asyncio.create_task(changes.run())
        yield
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        parts.rows.close()

    async def let_go(_: web.Application) -> None:
        live.end()

    app.cleanup_ctx.append(background)
    app.on_shutdown.append(let_go)
    return app
