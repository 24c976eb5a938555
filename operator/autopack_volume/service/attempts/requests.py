"""What callers send, checked: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from autopack.errors import InvalidInput
from autopack.file_layout import AttemptPaths, repo_key
from autopack.git.refs import check_branch, check_ref
from autopack.git.urls import check_repo_url
from autopack_volume.contract import messages
from autopack_volume.service.fields import attempt_number, flag, read_object, text

from .prompts import Prompt, check_path, check_text


@dataclass(frozen=True)
class AttemptRequest:
    """An attempt to prepare: `url` or `repository` (a name on the volume), the ref it starts at, its branch."""

    paths: AttemptPaths
    url: str | None
    repository: str | None
    ref: str
    branch: str
    resume: bool = field(default=False, compare=False)
    """Begin with what the attempt before left. Not part of what is pinned: the first answer holds either way."""
    incomplete: bool = field(default=False, compare=False)
    """Accept a commit of which worktrees lack a part. Not part of what is pinned, either."""
    prompt: Prompt | None = field(default=None, compare=False)
    """What the command is asked to do. Not part of what is pinned either: it may come from what changes meanwhile."""

    @property
    def key(self) -> str:
        """The key of the repository on the volume."""
        return repo_key(url=self.url, name=self.repository)

    def document(self) -> messages.PrepareRequest:
        """Return the request as it is kept beside the answer to it."""
        source: messages.Source = {"url": self.url} if self.url is not None else {"repository": self.repository or ""}
        return {"runId": self.paths.run_id, "source": source, "ref": self.ref, "branch": self.branch}


@dataclass(frozen=True)
class CommitRequest:
    """An attempt to commit."""

    paths: AttemptPaths
    remove_workspace: bool


def parse_attempt(
    uid: str, attempt: str, raw: bytes, protocols: tuple[str, ...], *, allow_loopback: bool = False
) -> AttemptRequest:
    """Check a PUT of an attempt; raise InvalidInput naming the field."""
    body = read_object(raw, messages.PrepareRequest)
    source = body.get("source")
    if not isinstance(source, dict) or len(source) != 1 or not source.keys() <= messages.Source.__annotations__.keys():
        raise InvalidInput("source", "is not an object with exactly one of url and repository", "Give exactly one")
    url = text(source, "url") if "url" in source else None
    repository = text(source, "repository") if "repository" in source else None
    if url is not None:
        check_repo_url(url, protocols, field="source.url", allow_loopback=allow_loopback)
    request = AttemptRequest(
        paths=_paths(uid, attempt, body),
        url=url,
        repository=repository,
        ref=check_ref(text(body, "ref")),
        branch=check_branch(text(body, "branch")),
        resume=flag(body, "resume"),
        incomplete=flag(body, "incomplete"),
        prompt=_prompt(body),
    )
    repo_key(url=url, name=repository)
    return request


def parse_commit(uid: str, attempt: str, raw: bytes) -> CommitRequest:
    """Check a POST of a commit; raise InvalidInput naming the field."""
    body = read_object(raw, messages.CommitRequest)
    return CommitRequest(_paths(uid, attempt, body), flag(body, "removeWorkspace"))


def _prompt(body: Mapping[str, object]) -> Prompt | None:
    if "prompt" in body and "promptFile" in body:
        raise InvalidInput("prompt", "is given beside promptFile", "Give one of the two")
    if "prompt" in body:
        return Prompt(text=check_text(text(body, "prompt").encode(errors="replace")))
    return Prompt(file=check_path(text(body, "promptFile"))) if "promptFile" in body else None


def _paths(uid: str, attempt: str, body: Mapping[str, object]) -> AttemptPaths:
    number = attempt_number(attempt)
    return AttemptPaths(text(body, "runId"), uid, number)
