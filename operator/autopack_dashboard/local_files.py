"""The files of the local supervisor's runs: below one folder of runs, and in the user's repository."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

from autopack.diff import run_diff
from autopack.errors import AutopackError, printable
from autopack.file_layout import RunFileLayout
from autopack.git.branches import RUN_PREFIX
from autopack.inside import browse, check_path, open_file
from autopack.merge_forecast import MergeForecast, merge_forecast
from autopack.registry.reader import RunDetail, RunSummary
from autopack.run_ids import path_component
from autopack_dashboard.ports import Download, Listing, NotThereError, Patch, Text

_MOST_LISTED = 5000
_PIECE = 1 << 18
T = TypeVar("T")


class LocalFiles:
    """Implements ports.Files for the runs of one folder and one repository. Symlinks are never followed."""

    def __init__(self, runs_dir: Path, repo: Path) -> None:
        self._runs_dir, self._repo = runs_dir, repo

    async def listing(self, run: RunDetail, attempt: int) -> Listing:  # noqa: ARG002 - one folder for all attempts
        """See ports.Files."""
        root = self._root(run)
        found, truncated = await asyncio.to_thread(browse, root, _MOST_LISTED)
        shown = [one if one.link is None else one._replace(link="elsewhere") for one in found]
        return Listing(shown, run.summary.finished_at is not None, truncated)

    async def log(self, run: RunDetail, attempt: int, stream: str, tail: int) -> Text:
        """See ports.Files."""
        name = f"{stream}.log" if attempt == run.summary.attempt else f"{stream}.a{attempt}.log"
        return await asyncio.to_thread(_tail, self._root(run), f"logs/{name}", tail)

    async def content(self, run: RunDetail, attempt: int, path: str, limit: int) -> bytes:  # noqa: ARG002
        """See ports.Files."""
        root = self._root(run)

        def read() -> bytes:
            with os.fdopen(_open(root, path), "rb") as file:
                return file.read(limit + 1)

        data = await _explained(read)
        if len(data) > limit:
            raise NotThereError("TooLarge", f"{printable(path, 120)} is too large to be shown", "Download it")
        return data

    async def download(self, run: RunDetail, attempt: int, path: str) -> Download:  # noqa: ARG002
        """See ports.Files."""
        root = self._root(run)
        descriptor = await _explained(lambda: _open(root, path))
        return Download(os.fstat(descriptor).st_size, _pieces(descriptor))

    async def patch(self, run: RunDetail, attempt: int, limit: int) -> Patch:
        """See ports.Files."""
        if attempt != run.summary.attempt:
            raise NotThereError("NotKept", "locally the diff of the last attempt is kept", "See git log autopack/<run>")
        base = self._runs_dir / "workspaces"
        found = await _explained(lambda: run_diff(self._repo, run.summary.run_id, worktree_base=base))
        return Patch(found.data[:limit], found.base, found.tip or "the worktree", len(found.data) > limit)

    async def forecast(self, runs: list[RunSummary]) -> MergeForecast | None:
        """See ports.Files."""
        names = {f"{RUN_PREFIX}{path_component(run.run_id)}": run.run_id for run in runs}
        return (await _explained(lambda: merge_forecast(self._repo, list(names)))).named(names)

    def _root(self, run: RunDetail) -> Path:
        root = RunFileLayout(run.summary.run_id, base_dir=self._runs_dir).base_dir
        if run.artifacts != str(root) and not root.is_dir():
            raise NotThereError("NotHere", "the run's files are not in this folder of runs", "Give its folder")
        return root


async def _explained(work: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(work)
    except AutopackError as error:
        raise NotThereError(error.reason, error.message, error.fix) from error


def _open(root: Path, path: str) -> int:
    return open_file(root, check_path(path), path)


def _tail(root: Path, path: str, tail: int) -> Text:
    try:
        descriptor = _open(root, path)
    except AutopackError:
        return Text(b"", 0, 0)
    with os.fdopen(descriptor, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        offset = max(0, size - tail)
        file.seek(offset)
        return Text(file.read(tail), offset, size)


async def _pieces(descriptor: int) -> AsyncIterator[bytes]:
    with os.fdopen(descriptor, "rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece
