"""What a run left, in full: its log, its patch, what its agent said; and each artifact as a download, which no browser
shows.
"""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl, quote

from aiohttp import web

from autopack.agents.reading import MAX_TRANSCRIPT, TRANSCRIPT
from autopack.errors import InvalidInput
from autopack_dashboard import patches, texts, transcripts
from autopack_dashboard.pages import asking
from autopack_dashboard.pages.view import View
from autopack_dashboard.ports import Files, NotThereError
from autopack_dashboard.rows import Rows

_LOG = 256 << 10
_PATCH = 1 << 20
_TRANSCRIPT = MAX_TRANSCRIPT + (64 << 10)
_LONGEST_PATH = 4096
_STREAMS = ("stdout", "stderr")


class RunFilePages:
    """`log`, `diff`, `transcript` and `artifact` below `/runs/<scope>/<run>/`."""

    def __init__(self, view: View, rows: Rows, files: Files) -> None:
        self._view, self._rows, self._files = view, rows, files

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        place = "/runs/{scope}/{run_id}"
        return [
            web.get(f"{place}/log", self._log),
            web.get(f"{place}/diff", self._diff),
            web.get(f"{place}/transcript", self._transcript),
            web.get(f"{place}/artifact", self._artifact, allow_head=False),
        ]

    async def _log(self, request: web.Request) -> web.StreamResponse:
        run = await asking.run_of(request, self._rows)
        attempt, stream = asking.attempt_of(request, run), asking.text(request, "stream") or "stdout"
        if stream not in _STREAMS:
            raise InvalidInput("stream", "is neither stdout nor stderr", "Choose one of them")
        log = await self._files.log(run, attempt, stream, _LOG)
        values = {
            "run": run,
            "attempt": attempt,
            "stream": stream,
            "streams": _STREAMS,
            "lines": texts.lines_of(log.data, cut_first=log.offset > 0),
            "log": log,
        }
        return self._view.page(request, "log.html", values)

    async def _diff(self, request: web.Request) -> web.StreamResponse:
        run = await asking.run_of(request, self._rows)
        attempt = asking.attempt_of(request, run)
        values = {"run": run, "attempt": attempt, "patch": None, "files": [], "cut": False, "problem": ""}
        try:
            patch = await self._files.patch(run, attempt, _PATCH)
            files, cut = patches.parse(patch.data)
            values |= {"patch": patch, "files": files, "cut": cut or patch.truncated}
        except NotThereError as error:
            values["problem"] = str(error)
        return self._view.page(request, "diff.html", values)

    async def _transcript(self, request: web.Request) -> web.StreamResponse:
        run = await asking.run_of(request, self._rows)
        attempt = asking.attempt_of(request, run)
        values = {"run": run, "attempt": attempt, "entries": [], "cut": False, "path": TRANSCRIPT, "problem": ""}
        try:
            raw = await self._files.content(run, attempt, TRANSCRIPT, _TRANSCRIPT)
            # Nested objects and many of them: reading takes a moment, in which others want their pages.
            values["entries"], values["cut"] = await asyncio.to_thread(transcripts.parse, raw)
        except NotThereError as error:
            values["problem"] = str(error)
        return self._view.page(request, "transcript.html", values)

    async def _artifact(self, request: web.Request) -> web.StreamResponse:
        run = await asking.run_of(request, self._rows)
        # Names of files need not be UTF-8.
        given = parse_qsl(request.rel_url.raw_query_string, errors="surrogateescape", max_num_fields=20)
        path = dict(given).get("path", "")
        if not path or len(path) > _LONGEST_PATH:
            raise InvalidInput("path", "no artifact is named", "Take one from the list")
        found = await self._files.download(run, asking.attempt_of(request, run), path)
        name = quote(path.rpartition("/")[2].encode("utf-8", "surrogateescape"), safe="")
        response = web.StreamResponse(
            headers={
                # Whatever a run wrote there, the browser saves it and executes nothing of it.
                "Content-Type": "application/octet-stream",
                "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
                "Content-Security-Policy": "default-src 'none'; sandbox",
            }
        )
        response.content_length = found.size
        await response.prepare(request)
        async for piece in found.pieces:
            await response.write(piece)
        await response.write_eof()
        return response
