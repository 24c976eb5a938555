"""Readers of what an attempt committed: bundle, patch, forecast of merges."""

from __future__ import annotations

import asyncio
import json
import os
from concurrent.futures import Executor
from pathlib import Path

from aiohttp import web

from autopack_volume.contract.headers import BASE, REF, TIP, TRUNCATED
from autopack_volume.contract.messages import Forecast
from autopack_volume.service.attempts import records

from . import from_git
from .files import Reader
from .forecasts import Forecasts
from .queries import Query
from .sending import as_json, headers_of, send

_USUAL_PATCH = 1 << 20
_MOST_OF_A_PATCH = 32 << 20
_MOST_ATTEMPTS = 64
_GIT_SECONDS = 120.0


class WorkReader(Reader):
    """Answers for what is in the repositories of results."""

    def __init__(self, root: Path, threads: Executor, forecasts: Forecasts) -> None:
        super().__init__(root, threads)
        self._forecasts = forecasts

    async def bundle(self, request: web.Request) -> web.StreamResponse:
        """Send a git bundle of one ref."""
        query = Query(request.rel_url.raw_query_string, "ref", "complete")
        record = await self.record(request)
        name, complete = query.text("ref"), query.flag("complete")
        made = await self.blocking(lambda: from_git.bundle(self.root, record, name, _GIT_SECONDS, complete=complete))
        try:
            descriptor = os.open(made.path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                size = os.fstat(descriptor).st_size
                told = {REF: made.ref, BASE: record.ready["sha"]}
                headers = headers_of(f"{record.paths.folder}.bundle", **told)
                return await send(request, self.threads, descriptor, (0, size), headers, 200)
            finally:
                os.close(descriptor)
        finally:
            await asyncio.shield(self.blocking(made.place.cleanup))

    async def diff(self, request: web.Request) -> web.StreamResponse:
        """Send a patch, at most `limit` bytes of it."""
        query = Query(request.rel_url.raw_query_string, "limit", "stat", "committed", "binary")
        record = await self.record(request)
        limit = query.number("limit", _MOST_OF_A_PATCH)
        stat, committed_only, binary = query.flag("stat"), query.flag("committed"), query.flag("binary")
        patch = await self.blocking(
            lambda: from_git.diff(
                self.root,
                record,
                _USUAL_PATCH if limit is None else limit,
                _GIT_SECONDS,
                stat=stat,
                committed_only=committed_only,
                binary=binary,
            )
        )
        told = {
            BASE: patch.base,
            TIP: patch.tip,
            TRUNCATED: json.dumps(patch.truncated),
        }
        return web.Response(body=patch.data, headers=headers_of(f"{record.paths.folder}.diff", **told))

    async def forecast(self, request: web.Request) -> web.StreamResponse:
        """Say how the branches of several attempts would merge; 202 while that is being tried."""
        query = Query(request.rel_url.raw_query_string, "attempt", "base", many=frozenset({"attempt"}))
        base, wanted = query.text("base"), query.attempts(_MOST_ATTEMPTS)

        def make() -> Forecast:
            found = [records.find(self.root, uid, number) for uid, number in wanted]
            return from_git.forecast(self.root, found, base, _GIT_SECONDS)

        answer = await self._forecasts.answer((base, tuple(wanted)), lambda: self.blocking(make))
        return as_json(answer.body, answer.status)
