"""Commits an attempt: checks what it left, takes its commits in, and makes its artifacts unchangeable."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from time import monotonic
from typing import Literal, cast

from autopack.agents.usage import to_json
from autopack.errors import AutopackError
from autopack.failpoints import hit
from autopack.file_layout import AttemptPaths
from autopack.files import write_json_atomic
from autopack.git.runner import GitError
from autopack.kept_files import KeptFiles, files_of
from autopack.manifest import Identity
from autopack.scan import walk
from autopack.trees import change_mode
from autopack.unsaved import Unsaved
from autopack_volume.contract import messages
from autopack_volume.contract.messages import Committed, Failure
from autopack_volume.service.answers import Answer, TransientError, failure, final
from autopack_volume.service.metrics import Metrics
from autopack_volume.service.results.importing import Import, attempt_refs, private_copy
from autopack_volume.service.results.leftovers import Carried, Left, read_left
from autopack_volume.service.sources.mirrors import Mirrors
from autopack_volume.service.sources.refresh import Refresher

from . import pins
from .records import Record, find, unknown
from .requests import CommitRequest
from .trash import Trash

_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class Commits:
    """Answers POST /v1/attempts/{uid}/{attempt}/commit."""

    def __init__(
        self, root: Path, mirrors: Mirrors, refresher: Refresher, files: Executor, metrics: Metrics, trash: Trash
    ) -> None:
        self._root = root
        self._mirrors = mirrors
        self._refresher = refresher
        self._files = files
        self._metrics = metrics
        self._trash = trash
        self.discarded = asyncio.Event()
        """Set when there is something to delete."""

    async def commit(self, request: CommitRequest) -> Answer:
        """Return the answer; the first final one (200 or 422) is pinned. Raises TransientError and OSError."""
        loop = asyncio.get_running_loop()
        started = monotonic()
        record = await loop.run_in_executor(self._files, self._record, request.paths)
        # One import into a repository at a time: they would wait for each other's locks anyway.
        async with self._refresher.lock(f"results/{record.ready['repoKey']}"):
            answer = await loop.run_in_executor(self._files, self._commit, request, record)
        self._metrics.import_seconds.observe(monotonic() - started)
        return final(answer)

    def _files_of(self, paths: AttemptPaths) -> KeptFiles:
        return files_of(self._root / paths.artifacts, self._root / paths.kept)

    def _record(self, paths: AttemptPaths) -> Record:
        record = find(self._root, paths.uid, paths.attempt)
        if record.paths != paths:
            raise unknown(paths.attempt)
        return record

    def _commit(self, request: CommitRequest, record: Record) -> Committed | Failure:
        # Read again: whoever had the lock before may have decided.
        answer = pins.committed(self._root, record.paths)
        if answer is None:
            fence(self._files_of(record.paths))
            answer = pins.pin_committed(self._root, record.paths, self._decide(record))
        if request.remove_workspace and may_remove_workspace(answer, began=self._began(record)):
            self._discard(record.paths)
        return answer

    def _began(self, record: Record) -> bool:
        files = self._files_of(record.paths)
        # An attempt that goes on from another begins with a bundle.
        saved = "resumedFrom" not in record.ready and os.path.lexists(files.bundle)
        return saved or files.command_began or os.path.lexists(files.ready_marker)

    def _discard(self, paths: AttemptPaths) -> None:
        files = self._files_of(paths)
        for path in (self._root / paths.workspace, files.repo, files.outbox, files.objects):
            if self._trash.discard(str(path.relative_to(self._root))):
                self.discarded.set()
        # The run's folder of workspaces goes with its last one; an attempt that is just being made asks again.
        with contextlib.suppress(OSError):
            (self._root / paths.workspace).parent.rmdir()

    def _decide(self, record: Record) -> Committed | Failure:
        """Check and take in; the pin comes after this, so a crash within is repaired by doing it again."""
        paths, key = record.paths, record.ready["repoKey"]
        identity = Identity(paths.run_id, paths.uid, paths.attempt, record.ready["sha"], record.branch)
        files = self._files_of(paths)
        repo = self._mirrors.ensure_results(key)
        try:
            with self._bundle(files.bundle, repo.parent) as bundle:
                left = read_left(files, identity, bundle)
                taking = Import(repo, self._mirrors.path(key), paths, identity.base_sha)
                taken = taking.run(bundle.path if bundle else None, left.manifest.work)
                if taken.refused is not None:
                    left = left.without(Unsaved(path=files.bundle.name, bytes=None, reason=taken.refused))
        except TransientError:
            raise
        except GitError as error:
            # Not what was left is at fault, or it would have been said so: the disk, or a lock.
            raise TransientError(error.reason, error.message) from error
        except AutopackError as error:
            return failure(error.reason, str(error))
        hit("volume.after_import")
        make_read_only(files)
        hit("volume.before_commit_pin")
        return committed(left, paths, taken.outbox, began=self._began(record))

    @contextlib.contextmanager
    def _bundle(self, left: Path, scratch: Path) -> Iterator[Carried | None]:
        with contextlib.ExitStack() as stack:
            try:
                path, digest = stack.enter_context(private_copy(left, scratch))
            except FileNotFoundError:
                yield None
            else:
                yield Carried(path, digest)


def fence(files: KeptFiles) -> None:
    """Tell a keeper that may live on unseen that its attempt is over. Its late writes do not count either way: this
    only has it stop its command.
    """
    with contextlib.suppress(OSError):
        files.kept.chmod(stat.S_IMODE(files.kept.lstat().st_mode) | stat.S_IRWXU)
        write_json_atomic(files.fence, {"reason": "the attempt is over"})


def make_read_only(files: KeptFiles) -> None:
    """Take every right to write from the artifacts and what was written down of them; the git dir is no artifact."""
    # Of our own files the git dirs and the objects are left out, which nobody reads any more.
    left_out = {files.repo.name, files.outbox.name, files.run_side.name, files.objects.name}
    for folder in {files.kept, files.artifacts}:
        for found in walk(folder, skip=left_out if folder == files.kept else ()):
            if not stat.S_ISLNK(found.stat.st_mode):
                change_mode(found.name, found.folder, remove=_WRITE)


def committed(left: Left, paths: AttemptPaths, outbox: dict[str, str], *, began: bool) -> Committed:
    """Return the answer to a commit that worked; `began` says whether there was anything to save."""
    work, branch = left.manifest.work, left.manifest.identity.branch
    prefix = attempt_refs(paths)
    answer: Committed = {
        "state": "committed",
        "complete": left.complete,
        "saved": _how_much(left, began=began),
        "unsaved": list(left.unsaved),
        "unsavedCount": left.unsaved_count,
        "exitCode": left.exit_code,
        "stopReason": left.stop_reason,
        "head": work.head,
        # A run may rename or delete its branch; HEAD is always kept.
        "ref": f"{prefix}/heads/{branch}" if branch in work.branches else f"{prefix}/head",
        "branches": dict(work.branches),
        "outbox": outbox,
        "snapshot": work.snapshot,
        "manifestSha256": left.sha256,
        "files": len(left.manifest.files),
        "bytes": left.manifest.total_bytes,
    }
    if left.usage.known:
        answer["usage"] = cast("messages.Usage", to_json(left.usage))
    if left.summary:
        answer["summary"] = left.summary
    return answer


def _how_much(left: Left, *, began: bool) -> Literal["all", "partly", "none", "unknown"]:
    if left.complete or not began:
        return "all"
    if not left.finished:
        return "unknown"
    return "none" if left.manifest.work.bundle is None else "partly"


def may_remove_workspace(answer: Committed | Failure, *, began: bool) -> bool:
    """Tell whether a workspace can go: all in it is saved, or no command ever began in it."""
    return answer["state"] == "committed" and (answer["complete"] or not began)
