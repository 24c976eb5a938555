"""Prepares an attempt: its repository on the volume, its commit, its folders, and an answer that never changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from time import monotonic
from typing import TypeVar

from autopack.errors import AutopackError
from autopack.failpoints import hit
from autopack.git.runner import GitError
from autopack_volume.contract.messages import Failure, PrepareRequest, Ready
from autopack_volume.service.answers import Answer, TransientError, failed, failure, final
from autopack_volume.service.metrics import Metrics
from autopack_volume.service.sources.completeness import LFS, SUBMODULES, check_complete
from autopack_volume.service.sources.hosts import Hosts
from autopack_volume.service.sources.lookup import is_empty, is_whole, resolve
from autopack_volume.service.sources.mirrors import Mirrors
from autopack_volume.service.sources.refresh import Refresher

from . import folders, pins, prompts
from .carry import INPUT, carry_over, forget
from .requests import AttemptRequest

_T = TypeVar("_T")


class Attempts:
    """Answers PUT /v1/attempts/{uid}/{attempt}."""

    def __init__(
        self,
        root: Path,
        mirrors: Mirrors,
        refresher: Refresher,
        hosts: Hosts,
        fetches: Executor,
        files: Executor,
        metrics: Metrics,
    ) -> None:
        self._root = root
        self._mirrors = mirrors
        self._refresher = refresher
        self._hosts = hosts
        self._fetches = fetches
        self._files = files
        self._metrics = metrics

    async def prepare(self, request: AttemptRequest) -> Answer:
        """Return the answer; the first final one (200 or 422) is pinned. Raises TransientError and OSError."""
        pinned = await self._file_work(self._pinned, request)
        if pinned is not None:
            return pinned
        try:
            sha = await self._file_work(self._sha_of_earlier_attempt, request)
            if sha is None:
                sha = await self._resolve(request)
            else:
                await self._check(request, sha)
            return await self._file_work(self._make_or_later, request, sha)
        except AutopackError as error:
            if is_final(error):
                return await self._file_work(self._pin, request, failure(error.reason, str(error)))
            raise

    async def _file_work(self, work: Callable[..., _T], *args: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._files, work, *args)

    async def _fetch_work(self, work: Callable[..., _T], *args: object) -> _T:
        started = monotonic()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._fetches, work, *args)
        finally:
            self._metrics.fetch_seconds.observe(monotonic() - started)

    async def _remote_work(self, url: str, work: Callable[..., _T], *args: object) -> _T:
        return await self._hosts.reach(url, lambda: self._fetch_work(work, *args))

    def _pinned(self, request: AttemptRequest) -> Answer | None:
        found = pins.prepared(self._root, request.paths)
        return None if found is None else answer_for(request, *found)

    def _sha_of_earlier_attempt(self, request: AttemptRequest) -> str | None:
        """Return the commit of the run's first attempt: a retry repeats the same work, whatever was pushed since."""
        for attempt in range(1, request.paths.attempt):
            earlier = type(request.paths)(request.paths.run_id, request.paths.uid, attempt)
            found = pins.prepared(self._root, earlier)
            if found and found[0] == request.document() and found[1]["state"] == "ready":
                return found[1]["sha"]
        return None

    async def _resolve(self, request: AttemptRequest) -> str:
        if request.url is None:
            return await self._file_work(self._resolve_or_raise, request)
        if len(request.ref) == 40 and await self._file_work(self._known, request):
            return request.ref
        key, url = request.key, request.url
        await self._refresher.refresh(key, lambda: self._remote_work(url, self._mirrors.fetch, key, url))
        if needs_fetch_of_its_own(request.ref):
            async with self._refresher.lock(key):
                if not await self._file_work(self._known, request):
                    await self._remote_work(url, self._mirrors.fetch_one, key, url, request.ref)
        return await self._file_work(self._resolve_or_raise, request)

    async def _check(self, request: AttemptRequest, sha: str) -> None:
        """Make sure that the commit of an earlier attempt can be read: damage may be what that attempt failed by."""
        key, url = request.key, request.url
        if await self._fetch_work(is_whole, self._mirrors.path(key), sha):
            return
        if url is not None:
            async with self._refresher.lock(key):
                if not await self._fetch_work(is_whole, self._mirrors.path(key), sha):
                    await self._remote_work(url, self._mirrors.repair, key, url)
        if not await self._fetch_work(is_whole, self._mirrors.path(key), sha):
            message = f"commit {sha} cannot be read on the volume any more"
            raise AutopackError("RepositoryCorrupt", message, "Import or push it again")

    def _known(self, request: AttemptRequest) -> bool:
        return self._mirrors.exists(request.key) and resolve(self._mirrors.path(request.key), request.ref) is not None

    def _resolve_or_raise(self, request: AttemptRequest) -> str:
        if not self._mirrors.exists(request.key):
            fix = "Import it with autopack-runtime import-repository"
            raise AutopackError("RepositoryNotFound", f"no repository '{request.repository}' on the volume", fix)
        sha = resolve(self._mirrors.path(request.key), request.ref)
        if sha is not None:
            return sha
        if is_empty(self._mirrors.path(request.key)):
            raise AutopackError("RepositoryEmpty", "the repository has no commit", "Push a first commit")
        raise AutopackError("RefNotFound", f"'{request.ref}' is neither a branch, a tag nor a commit", "Check the ref")

    def _make_or_later(self, request: AttemptRequest, sha: str) -> Answer:
        try:
            return self._make(request, sha)
        except GitError as error:
            # The commit is there, and nothing comes from outside: the disk is at fault, or a lock.
            raise TransientError(error.reason, error.message) from error

    def _make(self, request: AttemptRequest, sha: str) -> Answer:
        """Make all that the attempt needs; the pin is last, so a crash before it is repaired by doing all again."""
        if not request.incomplete:
            check_complete(self._mirrors.path(request.key), sha)
        self._mirrors.pin(request.key, request.paths.uid, sha)
        results = self._mirrors.ensure_results(request.key)
        hit("volume.after_pin_ref")
        kept = self._root / request.paths.kept
        forget(kept)
        for folder in (request.paths.workspace, request.paths.artifacts, request.paths.kept):
            folders.make_empty(self._root, folder)
        resumed = None
        if request.resume and request.paths.attempt > 1:
            resumed = carry_over(self._root, request.paths, results, self._mirrors.path(request.key), sha)
        if request.prompt is not None:
            prompts.write(kept / INPUT, request.prompt, self._mirrors.path(request.key), sha)
        hit("volume.before_pin")
        body: Ready = {
            "state": "ready",
            "repoKey": request.key,
            "sha": sha,
            "workspace": request.paths.workspace,
            "artifacts": request.paths.artifacts,
            "kept": request.paths.kept,
        }
        if resumed is not None:
            body["resumedFrom"] = resumed
        return self._pin(request, body)

    def _pin(self, request: AttemptRequest, answer: Ready | Failure) -> Answer:
        return answer_for(request, *pins.pin_prepared(self._root, request.paths, request.document(), answer))


_FINAL = frozenset(
    {
        "RepositoryNotFound",
        "RepositoryEmpty",
        "RefNotFound",
        "FetchFailed",
        "CredentialMissing",
        "HostNotTrusted",
        "AttemptConflict",
        "ResumeImpossible",
        "PromptNotFound",
        "PromptTooLong",
        "PromptInvalid",
        SUBMODULES,
        LFS,
    }
)


def is_final(error: AutopackError) -> bool:
    """Tell whether an error is an answer to keep, rather than something that may pass."""
    return error.reason in _FINAL and not isinstance(error, TransientError)


def needs_fetch_of_its_own(ref: str) -> bool:
    """Tell whether a ref is outside what every mirror holds: a full commit id, or neither branch nor tag."""
    return len(ref) == 40 or (ref.startswith("refs/") and not ref.startswith(("refs/heads/", "refs/tags/")))


def answer_for(request: AttemptRequest, pinned_request: PrepareRequest, answer: Ready | Failure) -> Answer:
    """Return the pinned answer if it was to this very request, else AttemptConflict."""
    if pinned_request == request.document():
        return final(answer)
    message = f"attempt {request.paths.attempt} of this run was asked for with other values"
    return failed(AutopackError("AttemptConflict", message, "Start another attempt"))
