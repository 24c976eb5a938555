"""GitHub, played: the endpoints for pulls, labels, review requests and statuses.

Shapes, statuses and sentences are those of docs.github.com/rest, version 2022-11-28, and of answers that people quote.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .front import Answer, Request

JsonDict = dict[str, Any]
Refs = Callable[[], Mapping[str, str]]


@dataclass
class Pull:
    """A pull request."""

    number: int
    head: str
    base: str
    title: str
    body: str
    draft: bool
    fork: bool = False
    state: str = "open"
    merged: bool = False
    labels: list[str] = field(default_factory=list)
    reviewers: list[str] = field(default_factory=list)


class GitHubDouble:
    """One repository. `refs` tells its branches and their commits."""

    api_path = ""

    def __init__(self, refs: Refs, repository: str = "acme/app", token: str = "") -> None:
        self.repository, self.token = repository, token
        self.collaborators, self.drafts, self.default_branch = {"grace"}, True, "main"
        self.pulls: list[Pull] = []
        self.statuses: dict[str, list[JsonDict]] = {}
        self._refs, self._lock = refs, threading.Lock()

    def __call__(self, request: Request) -> Answer:
        if request.headers.get("authorization") not in (f"Bearer {self.token}", f"token {self.token}"):
            return Answer(401, {"message": "Bad credentials", "status": "401"})
        if "user-agent" not in request.headers:
            return Answer(403, {"message": "Request forbidden by administrative rules."})
        prefix = f"{self.api_path}/repos/{self.repository}"
        if request.path != prefix and not request.path.startswith(f"{prefix}/"):
            return Answer(404, {"message": "Not Found", "status": "404"})
        with self._lock:
            return self._route(request, request.path.removeprefix(prefix))

    def _route(self, request: Request, path: str) -> Answer:
        match request.method, path.split("/")[1:]:
            case "GET", []:
                return Answer(200, {"id": 1, "full_name": self.repository, "default_branch": self.default_branch})
            case "GET", ["pulls"]:
                return Answer(200, self._list(request))
            case "POST", ["pulls"]:
                return self._create(request.document)
            case "PATCH", ["pulls", number]:
                return self._edit(self.pull(int(number)), request.document)
            case "POST", ["issues", number, "labels"]:
                labels = self.pull(int(number)).labels
                labels += [name for name in request.document["labels"] if name not in labels]
                return Answer(200, [{"name": name} for name in labels])
            case "POST", ["pulls", number, "requested_reviewers"]:
                return self._review(self.pull(int(number)), request.document)
            case "POST", ["statuses", sha]:
                return self._status(sha, request.document)
        return Answer(404, {"message": "Not Found", "status": "404"})

    def pull(self, number: int) -> Pull:
        """Return the pull request of that number."""
        return next(pull for pull in self.pulls if pull.number == number)

    def _list(self, request: Request) -> list[JsonDict]:
        owner, _, head = request.query.get("head", "").partition(":")
        state = request.query.get("state", "open")
        ours = owner == self.repository.partition("/")[0]
        found = [pull for pull in reversed(self.pulls) if ours and pull.head == head and state in ("all", pull.state)]
        size = int(request.query.get("per_page", "30"))
        return [self.show(pull) for pull in found[:size]]

    def _create(self, wanted: JsonDict) -> Answer:
        refs = self._refs()
        for key in ("head", "base"):
            if wanted[key] not in refs:
                return _invalid({"resource": "PullRequest", "field": key, "code": "invalid"})
        head, base = wanted["head"], wanted["base"]
        if refs[head] == refs[base]:
            return _invalid(_custom(f"No commits between {base} and {head}"))
        if any(pull.head == head and pull.base == base and pull.state == "open" for pull in self.pulls):
            owner = self.repository.partition("/")[0]
            return _invalid(_custom(f"A pull request already exists for {owner}:{head}."))
        if wanted.get("draft") and not self.drafts:
            return Answer(422, {"message": "Draft pull requests are not supported in this repository."})
        if len(wanted["body"]) > 65_536:
            return _invalid(_custom("body is too long (maximum is 65536 characters)"))
        draft = bool(wanted.get("draft"))
        pull = Pull(len(self.pulls) + 1, head, base, wanted["title"], wanted["body"], draft)
        self.pulls.append(pull)
        return Answer(201, self.show(pull))

    def _edit(self, pull: Pull, wanted: JsonDict) -> Answer:
        pull.title, pull.body = wanted.get("title", pull.title), wanted.get("body", pull.body)
        return Answer(200, self.show(pull))

    def _review(self, pull: Pull, wanted: JsonDict) -> Answer:
        if set(wanted["reviewers"]) - self.collaborators or wanted["team_reviewers"]:
            message = (
                "Reviews may only be requested from collaborators. One or more of the users or teams you specified "
            )
            return Answer(422, {"message": f"{message}is not a collaborator of the {self.repository} repository."})
        pull.reviewers += [name for name in wanted["reviewers"] if name not in pull.reviewers]
        return Answer(201, self.show(pull))

    def _status(self, sha: str, wanted: JsonDict) -> Answer:
        if not re.fullmatch(r"[0-9a-f]{40}", sha) or sha not in self._refs().values():
            return Answer(422, {"message": f"No commit found for SHA: {sha}"})
        if len(wanted["description"]) > 140:
            return _invalid({"resource": "Status", "field": "description", "code": "custom", "message": "is too long"})
        self.statuses.setdefault(sha, []).insert(0, wanted)
        return Answer(201, wanted)

    def show(self, pull: Pull) -> JsonDict:
        """Return a pull request as the API shows it: as much of it as is used."""
        repo = {"id": 1, "full_name": self.repository}
        return {
            "number": pull.number,
            "html_url": f"https://github.example/{self.repository}/pull/{pull.number}",
            "state": pull.state,
            "merged_at": "2026-01-01T00:00:00Z" if pull.merged else None,
            "draft": pull.draft,
            "title": pull.title,
            "body": pull.body or None,
            "head": {"ref": pull.head, "repo": repo | {"id": 2} if pull.fork else repo},
            "base": {"ref": pull.base, "repo": repo},
        }


def _invalid(*errors: JsonDict) -> Answer:
    return Answer(422, {"message": "Validation Failed", "errors": list(errors), "status": "422"})


def _custom(message: str) -> JsonDict:
    return {"resource": "PullRequest", "code": "custom", "message": message}
