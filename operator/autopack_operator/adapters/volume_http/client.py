"""The volume service, as the operator sees it. All calls are idempotent there: a lost answer is asked for again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import aiohttp

from autopack.agents.usage import from_json
from autopack_operator.domain.api.common import Incomplete, Source
from autopack_operator.domain.run.prompts import NOTHING_ASKED, Asked
from autopack_operator.domain.views import Attempt, CommittedWork, UnfinishedAttempt, VolumeFailure
from autopack_volume.client.client import RefusedError, UnreachableError, VolumeClient
from autopack_volume.contract.messages import CommitRequest, PrepareRequest

TIMEOUT_SECONDS = 30


class HttpVolume:
    """Implements ports.volume.Volume."""

    def __init__(self, url: str, token_file: Path) -> None:
        self._client = VolumeClient(url, token_file, aiohttp.ClientTimeout(total=TIMEOUT_SECONDS))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def prepare(
        self,
        run_uid: str,
        run_name: str,
        attempt: int,
        source: Source,
        branch: str,
        *,
        resume: bool = False,
        asked: Asked = NOTHING_ASKED,
    ) -> Attempt | VolumeFailure | None:
        """See ports.volume.Volume."""
        wanted: PrepareRequest = {
            "runId": run_name,
            "source": {"url": source.url} if source.url is not None else {"repository": source.repository or ""},
            "ref": source.ref,
            "branch": branch,
        }
        if resume:
            wanted["resume"] = True
        if source.incomplete is Incomplete.ALLOW:
            wanted["incomplete"] = True
        if asked.text is not None:
            wanted["prompt"] = asked.text
        if asked.file is not None:
            wanted["promptFile"] = asked.file
        try:
            answer = await self._client.prepare(run_uid, attempt, wanted)
        except (RefusedError, UnreachableError) as error:
            failure = _failure(error)
            # The same request without these was understood before: the service is older than we are, for now.
            newer = {"resume", "incomplete", "prompt", "promptFile"} & wanted.keys()
            return replace(failure, transient=True) if newer and failure.reason == "InvalidInput" else failure
        if answer is None:
            return None
        texts = [answer.get(name) for name in ("repoKey", "sha", "workspace", "artifacts")]
        if not all(isinstance(text, str) and text for text in texts):
            return _unreadable(answer)
        key, sha, workspace, artifacts = map(str, texts)
        return Attempt(
            attempt, key, sha, workspace, artifacts, answer.get("kept") or artifacts, answer.get("resumedFrom")
        )

    async def commit(
        self, run_uid: str, run_name: str, attempt: int, *, remove_workspace: bool
    ) -> CommittedWork | VolumeFailure | None:
        """See ports.volume.Volume."""
        wanted: CommitRequest = {"runId": run_name, "removeWorkspace": remove_workspace}
        try:
            answer = await self._client.commit(run_uid, attempt, wanted)
        except (RefusedError, UnreachableError) as error:
            return _failure(error)
        if answer is None:
            return None
        try:
            return CommittedWork(
                complete=answer["complete"],
                exit_code=answer.get("exitCode"),
                head=answer.get("head"),
                ref=answer.get("ref"),
                manifest_sha256=answer["manifestSha256"],
                files=answer["files"],
                size=answer["bytes"],
                snapshot=answer.get("snapshot"),
                stop_reason=answer.get("stopReason"),
                # A service of before said only whether all was saved.
                saved=answer.get("saved", "all" if answer["complete"] else "unknown"),
                unsaved=tuple(answer.get("unsaved", ())),
                unsaved_count=answer.get("unsavedCount", 0),
                outbox=answer.get("outbox", {}),
                usage=from_json(answer.get("usage")),
                summary=answer.get("summary", ""),
            )
        except KeyError:
            return _unreadable(answer)

    async def unfinished(self) -> list[UnfinishedAttempt] | VolumeFailure:
        """See ports.volume.Volume."""
        try:
            answer = await self._client.unfinished()
        except (RefusedError, UnreachableError) as error:
            return _failure(error)
        try:
            return [UnfinishedAttempt(item["uid"], item["runId"], item["attempt"]) for item in answer["unfinished"]]
        except (KeyError, TypeError):
            return _unreadable(answer or {})


def _failure(error: RefusedError | UnreachableError) -> VolumeFailure:
    if isinstance(error, UnreachableError):
        return VolumeFailure("VolumeUnavailable", f"the volume service did not answer: {error}", transient=True)
    # Only 422 is an answer about the request; anything else says that the service cannot judge it now.
    return VolumeFailure(error.reason, error.message, transient=error.status != 422)


def _unreadable(document: Mapping[str, object]) -> VolumeFailure:
    """The service speaks another version: it is being upgraded, or we are."""
    names = ", ".join(sorted(document)) or "nothing"
    return VolumeFailure("VolumeAnswerUnreadable", f"the volume service answered with {names}", transient=True)
