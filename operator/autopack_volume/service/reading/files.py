"""Readers of an attempt's state, artifacts and logs."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from autopack import inside
from autopack.errors import AutopackError, InvalidInput
from autopack.kept_files import KeptFiles, files_of
from autopack.manifest import FileEntry, LinkEntry, ManifestMismatch, parse
from autopack_volume.contract import messages
from autopack_volume.contract.headers import OFFSET, SIZE, STATE
from autopack_volume.service.attempts import records
from autopack_volume.service.attempts.records import Record
from autopack_volume.service.fields import attempt_number

from .queries import Query
from .ranges import byte_range, window
from .sending import as_json, headers_of, send

_T = TypeVar("_T")
_MOST_LISTED = 20_000
_MOST_OF_A_LOG = 4 << 20
_MOST_OF_A_MANIFEST = 32 << 20
_STREAMS = ("stdout", "stderr")
_SHOWN_OF_OURS = frozenset({"manifest.json", "result.json"})
"""Where our own files lay among the artifacts, these could be read as if they were some."""


class Reader:
    """What all readers have: the volume's root and threads that may block."""

    def __init__(self, root: Path, threads: Executor) -> None:
        self.root = root
        self.threads = threads

    async def blocking(self, work: Callable[..., _T], *args: object) -> _T:
        """Do work in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, work, *args)

    async def record(self, request: web.Request) -> Record:
        """Return the attempt that a request's path names."""
        number = attempt_number(request.match_info["attempt"])
        return await self.blocking(records.find, self.root, request.match_info["uid"], number)


class FileReader(Reader):
    """Answers for what lies in an attempt's folder."""

    async def run(self, request: web.Request) -> web.StreamResponse:
        """List a run's attempts."""
        Query(request.rel_url.raw_query_string)
        uid = request.match_info["uid"]
        found = await self.blocking(records.find_all, self.root, uid)
        return as_json({"uid": uid, "attempts": [record.document() for record in found]})

    async def attempt(self, request: web.Request) -> web.StreamResponse:
        """Say how far an attempt is."""
        Query(request.rel_url.raw_query_string)
        return as_json((await self.record(request)).document())

    async def artifacts(self, request: web.Request) -> web.StreamResponse:
        """List an attempt's artifacts: from its manifest once committed, else as they lie there now."""
        Query(request.rel_url.raw_query_string)
        return as_json(await self.blocking(self._listed, await self.record(request)))

    def _listed(self, record: Record) -> messages.Listing:
        if record.state != "committed":
            place = self._files_of(record)
            found, truncated = inside.browse(place.artifacts, _MOST_LISTED, place.own_names)
            files = [_artifact(one) for one in found]
        else:
            entries = parse(self._manifest(record)).files
            files, truncated = [_artifact(one) for one in entries[:_MOST_LISTED]], len(entries) > _MOST_LISTED
        return {"state": record.state, "files": files, "truncated": truncated}

    def _manifest(self, record: Record) -> bytes:
        manifest = self._files_of(record).manifest
        descriptor = inside.open_file(manifest.parent, [manifest.name], manifest.name)
        with os.fdopen(descriptor, "rb") as file:
            raw = file.read(_MOST_OF_A_MANIFEST)
        if hashlib.sha256(raw).hexdigest() != record.kept()["manifestSha256"]:
            raise ManifestMismatch("manifest.json is not the one that was committed")
        return raw

    async def artifact(self, request: web.Request) -> web.StreamResponse:
        """Send one artifact, or a range of it."""
        path = Query(request.rel_url.raw_query_string, "path").needed("path")
        parts = inside.check_path(path)
        record = await self.record(request)
        descriptor = await self.blocking(self._open, record, parts, path)
        try:
            size = os.fstat(descriptor).st_size
            headers = headers_of(parts[-1], **{"Accept-Ranges": "bytes", STATE: record.state})
            return await self._send_range(request, descriptor, size, headers)
        finally:
            os.close(descriptor)

    def _files_of(self, record: Record) -> KeptFiles:
        return files_of(self.root / record.paths.artifacts, self.root / record.paths.kept)

    def _open(self, record: Record, parts: list[str], shown: str) -> int:
        place = self._files_of(record)
        if parts[0] in place.own_names - _SHOWN_OF_OURS:
            raise inside.not_found(shown)
        return inside.open_file(place.artifacts, parts, shown)

    async def _send_range(
        self, request: web.Request, descriptor: int, size: int, headers: dict[str, str]
    ) -> web.StreamResponse:
        part = byte_range(request.headers.get("Range"), size)
        if part is None:
            return await send(request, self.threads, descriptor, (0, size), headers, 200)
        headers["Content-Range"] = f"bytes {part[0]}-{part[0] + part[1] - 1}/{size}"
        return await send(request, self.threads, descriptor, part, headers, 206)

    async def log(self, request: web.Request) -> web.StreamResponse:
        """Send the last `tail` bytes of a log, or those from `offset`; `limit` bounds both."""
        stream = request.match_info["stream"]
        if stream not in _STREAMS:
            raise InvalidInput("stream", "is neither stdout nor stderr", "Ask for logs/stdout or logs/stderr")
        query = Query(request.rel_url.raw_query_string, "tail", "offset", "limit")
        tail, offset = query.number("tail", _MOST_OF_A_LOG), query.number("offset", 1 << 50)
        if tail is not None and offset is not None:
            raise InvalidInput("tail", "is given together with offset", "Give one of the two")
        record = await self.record(request)
        name = f"{stream}.log"
        place = self.root / record.paths.artifacts
        try:
            descriptor = await self.blocking(inside.open_file, place, ["logs", name], f"logs/{name}")
        except AutopackError as error:
            if error.reason != "ArtifactNotFound":
                raise
            descriptor = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(descriptor).st_size
            limit = query.number("limit", _MOST_OF_A_LOG)
            part = window(size, tail=tail, offset=offset, limit=_MOST_OF_A_LOG if limit is None else limit)
            told = {OFFSET: str(part[0]), SIZE: str(size), STATE: record.state}
            return await send(request, self.threads, descriptor, part, headers_of(name, **told), 200)
        finally:
            os.close(descriptor)


def _artifact(one: FileEntry | LinkEntry | inside.Found) -> messages.Artifact:
    if isinstance(one, FileEntry):
        return {"path": one.path, "size": one.size, "sha256": one.sha256}
    if one.link is not None:
        return {"path": one.path, "link": one.link}
    return {"path": one.path, "size": one.size or 0, "sha256": None}
