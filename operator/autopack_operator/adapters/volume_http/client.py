"""Asks the volume service. All calls are idempotent there, so a lost answer is simply asked for again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp

from autopack_operator.domain.api.common import Source
from autopack_operator.domain.views import Attempt, CommittedWork, UnfinishedAttempt, VolumeFailure

JsonDict = dict[str, Any]
TIMEOUT_SECONDS = 30


class HttpVolume:
    """Implements ports.volume.Volume."""

    def __init__(self, url: str, token_file: Path) -> None:
        self._url, self._token_file = url.rstrip("/"), token_file
        self._session: aiohttp.ClientSession | None = None
        self._token, self._token_version = "", (0, 0)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def prepare(
        self, run_uid: str, run_name: str, attempt: int, source: Source, branch: str, *, resume: bool = False
    ) -> Attempt | VolumeFailure | None:
        """PUT /v1/attempts/<uid>/<attempt>."""
        where = {"url": source.url} if source.url is not None else {"repository": source.repository}
        body: JsonDict = {"runId": run_name, "source": where, "ref": source.ref, "branch": branch}
        if resume:
            body["resume"] = True
        answer = await self._ask("PUT", f"/v1/attempts/{run_uid}/{attempt}", body)
        if isinstance(answer, VolumeFailure) and resume and answer.reason == "InvalidInput":
            # The same request without `resume` was understood before: the service is older than we are, for now.
            return replace(answer, transient=True)
        if not isinstance(answer, dict):
            return answer
        texts = [answer.get(name) for name in ("repoKey", "sha", "workspace", "artifacts")]
        if not all(isinstance(text, str) and text for text in texts):
            return _unreadable(answer)
        key, sha, workspace, artifacts = map(str, texts)
        kept = str(answer.get("kept") or artifacts)
        return Attempt(attempt, key, sha, workspace, artifacts, kept, answer.get("resumedFrom"))

    async def commit(
        self, run_uid: str, run_name: str, attempt: int, *, remove_workspace: bool
    ) -> CommittedWork | VolumeFailure | None:
        """POST /v1/attempts/<uid>/<attempt>/commit."""
        body = {"runId": run_name, "removeWorkspace": remove_workspace}
        answer = await self._ask("POST", f"/v1/attempts/{run_uid}/{attempt}/commit", body)
        if not isinstance(answer, dict):
            return answer
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
            )
        except KeyError:
            return _unreadable(answer)

    async def unfinished(self) -> list[UnfinishedAttempt] | VolumeFailure:
        """GET /v1/attempts."""
        answer = await self._ask("GET", "/v1/attempts", None)
        if not isinstance(answer, dict):
            return answer or _unreadable({})
        try:
            return [UnfinishedAttempt(item["uid"], item["runId"], item["attempt"]) for item in answer["unfinished"]]
        except (KeyError, TypeError):
            return _unreadable(answer)

    def _current_token(self) -> str:
        """Read again when the kubelet has replaced it, before it expires. In memory: not worth a thread per request."""
        status = self._token_file.stat()
        version = (status.st_ino, status.st_mtime_ns)
        if version != self._token_version:
            self._token, self._token_version = self._token_file.read_text().strip(), version
        return self._token

    async def _ask(self, method: str, path: str, body: JsonDict | None) -> JsonDict | VolumeFailure | None:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS))
        try:
            headers = {"Authorization": f"Bearer {self._current_token()}"}
            async with self._session.request(method, self._url + path, json=body, headers=headers) as response:
                document = await response.json(content_type=None)
                return _answer(response.status, document if isinstance(document, dict) else {})
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            why = f"{type(error).__name__} {error}".rstrip()
            return VolumeFailure("VolumeUnavailable", f"the volume service did not answer: {why}", transient=True)


def _unreadable(document: JsonDict) -> VolumeFailure:
    """The service speaks another version: it is being upgraded, or we are."""
    names = ", ".join(sorted(document)) or "nothing"
    return VolumeFailure("VolumeAnswerUnreadable", f"the volume service answered with {names}", transient=True)


def _answer(status: int, document: JsonDict) -> JsonDict | VolumeFailure | None:
    if status == 200:
        return document
    if status == 202:
        return None
    reason = document.get("reason") or f"VolumeAnswered{status}"
    message = document.get("message") or f"the volume service answered {status}"
    # Only 422 is an answer about the request; anything else says that the service cannot judge it now.
    return VolumeFailure(reason, message, transient=status != 422)
