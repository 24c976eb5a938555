"""The files of the local supervisor's runs: below one folder of runs, and in the user's repository."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TypeVar

from autopack.diff import run_diff
from autopack.errors import AutopackError, printable
from autopack.file_layout import RunFileLayout
from autopack.git.branches import RUN_PREFIX
from autopack.merge_forecast import Conflict, merge_forecast
from autopack.registry.reader import RunDetail, RunSummary
from autopack.run_ids import path_component
from autopack_dashboard.ports import Artifact, Clash, Download, Forecast, Listing, NotThereError, Patch, Text

_MOST_LISTED = 5000
_PIECE = 1 << 18
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
T = TypeVar("T")


class LocalFiles:
    """Implements ports.Files for the runs of one folder and one repository. Symlinks are never followed."""

    def __init__(self, runs_dir: Path, repo: Path) -> None:
        self._runs_dir, self._repo = runs_dir, repo

    async def listing(self, run: RunDetail, attempt: int) -> Listing:  # noqa: ARG002 - one folder for all attempts
        """See ports.Files."""
        root = self._root(run)
        found = await asyncio.to_thread(lambda: list(_walk(root, _MOST_LISTED + 1)))
        ended = run.summary.finished_at is not None
        return Listing(found[:_MOST_LISTED], ended, len(found) > _MOST_LISTED)

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

        data = await asyncio.to_thread(read)
        if len(data) > limit:
            raise NotThereError("TooLarge", f"{printable(path, 120)} is too large to be shown", "Download it")
        return data

    async def download(self, run: RunDetail, attempt: int, path: str) -> Download:  # noqa: ARG002
        """See ports.Files."""
        descriptor = await asyncio.to_thread(_open, self._root(run), path)
        return Download(os.fstat(descriptor).st_size, _pieces(descriptor))

    async def patch(self, run: RunDetail, attempt: int, limit: int) -> Patch:
        """See ports.Files."""
        if attempt != run.summary.attempt:
            raise NotThereError("NotKept", "locally the diff of the last attempt is kept", "See git log autopack/<run>")
        base = self._runs_dir / "workspaces"
        found = await _explained(lambda: run_diff(self._repo, run.summary.run_id, worktree_base=base))
        return Patch(found.data[:limit], found.base, found.tip or "the worktree", len(found.data) > limit)

    async def forecast(self, runs: list[RunSummary]) -> Forecast | None:
        """See ports.Files."""
        names = {f"{RUN_PREFIX}{path_component(run.run_id)}": run.run_id for run in runs}
        found = await _explained(lambda: merge_forecast(self._repo, list(names)))

        def clash(one: Conflict) -> Clash:
            return Clash(names.get(one.first, one.first), names.get(one.second, one.second), one.paths)

        return Forecast(
            found.base,
            tuple(names[name] for name in found.order),
            tuple(names[name] for name in found.merged),
            tuple(map(clash, found.conflicts)),
            tuple(map(clash, found.left_out)),
        )

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


def _walk(root: Path, most: int, prefix: str = "") -> Iterator[Artifact]:
    try:
        entries = sorted(os.scandir(root / prefix), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if most <= 0:
            return
        path = f"{prefix}{entry.name}"
        if entry.is_symlink():
            yield Artifact(path, None, "elsewhere")
        elif entry.is_dir(follow_symlinks=False):
            for found in _walk(root, most, f"{path}/"):
                most -= 1
                yield found
            continue
        elif entry.is_file(follow_symlinks=False):
            yield Artifact(path, entry.stat(follow_symlinks=False).st_size)
        most -= 1


def _open(root: Path, path: str) -> int:
    """Open a regular file below `root`, part by part, so that no link of a run leads out of it."""
    parts = path.split("/")
    if "\0" in path or any(part in {"", ".", ".."} for part in parts):
        raise NotThereError("ArtifactNotFound", f"'{printable(path, 120)}' is not an artifact's path")
    folders: list[int] = []
    try:
        folders.append(os.open(root, _FOLDER))
        for part in parts[:-1]:
            folders.append(os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=folders[-1]))
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(parts[-1], flags, dir_fd=folders[-1])
    except OSError as error:
        raise NotThereError("ArtifactNotFound", f"there is no file '{printable(path, 120)}'") from error
    finally:
        for folder in folders:
            os.close(folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotThereError("ArtifactNotFound", f"'{printable(path, 120)}' is not a regular file")
    return descriptor


def _tail(root: Path, path: str, tail: int) -> Text:
    try:
        descriptor = _open(root, path)
    except NotThereError:
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
