"""Answers to readers: inert whatever is in them, and files in pieces."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from concurrent.futures import Executor
from urllib.parse import quote

from aiohttp import web

from autopack.errors import AutopackError
from autopack_volume.service.answers import failure

_CHUNK = 1 << 18
_INERT = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_STATUS = {
    "AttemptUnknown": 404,
    "ArtifactNotFound": 404,
    "RefNotFound": 404,
    "ArtifactUnreadable": 403,
    "NotCommitted": 409,
    "NothingNew": 409,
    "RangeNotSatisfiable": 416,
    "GitTimeout": 503,
}


def as_json(body: Mapping[str, object], status: int = 200) -> web.Response:
    """Return a JSON answer in ASCII: whatever was in a name, nothing in it is a control character or invisible."""
    return web.json_response(body, status=status, headers=_INERT)


def refusal(error: AutopackError) -> web.Response:
    """Return the answer to what cannot be read."""
    return as_json(failure(error.reason, str(error)), _STATUS.get(error.reason, 422))


def headers_of(name: str, content_type: str = "application/octet-stream", **more: str) -> dict[str, str]:
    """Return the headers of content that came from a run; a browser saves it as `name` and never shows it."""
    shown = quote(name.encode("utf-8", "surrogateescape"), safe="")
    disposition = f"attachment; filename*=UTF-8''{shown}"
    return {**_INERT, "Content-Type": content_type, "Content-Disposition": disposition, **more}


async def send(
    request: web.Request,
    files: Executor,
    descriptor: int,
    part: tuple[int, int],
    headers: Mapping[str, str],
    status: int,
) -> web.StreamResponse:
    """Send the bytes `part` (offset, length) of an open file.

    A file that turns out shorter ends the connection, so that no reader takes the part for the whole.
    """
    offset, left = part
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = left
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    loop = asyncio.get_running_loop()
    while left:
        data = await loop.run_in_executor(files, os.pread, descriptor, min(_CHUNK, left), offset)
        if not data:
            raise ConnectionResetError("the file became shorter while it was read")
        await response.write(data)
        offset += len(data)
        left -= len(data)
    await response.write_eof()
    return response
