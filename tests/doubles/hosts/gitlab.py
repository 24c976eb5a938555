"""GitLab, played: the endpoints for merge requests, users and commit statuses.

Shapes, statuses and sentences are those of docs.gitlab.com/api (doc/api/merge_requests.md and commits.md of GitLab's
repository), and of answers that people quote. Like GitLab Free, it takes one reviewer.
"""

from __future__ import annotations

import re
import threading
from typing import Any

from .front import Answer, Request
from .github import JsonDict, Pull, Refs

_DRAFT = re.compile(r"(?i)(draft:|\[draft\]|\(draft\))")
_EVENTS = {"pending": "enqueue", "success": "success", "failed": "drop"}


class GitLabDouble:
    """One project, below groups. `refs` tells its branches and their commits."""

    api_path = "/api/v4"

    def __init__(self, refs: Refs, repository: str = "acme/tools/app", token: str = "") -> None:
        self.repository, self.token = repository, token
        self.users, self.default_branch = {"grace": 11, "ada": 12}, "main"
        self.pulls: list[Pull] = []
        self.statuses: dict[str, list[JsonDict]] = {}
        self._refs, self._lock = refs, threading.Lock()

    def __call__(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            described = "Token is expired. You can either do re-authorization or token refresh."
            return Answer(401, {"error": "invalid_token", "error_description": described})
        with self._lock:
            if request.path == f"{self.api_path}/users":
                name = request.query["username"]
                found = [{"id": self.users[name], "username": name}] if name in self.users else []
                return Answer(200, found)
            # A project's path is one segment here: its slashes are quoted.
            project, _, rest = request.raw_path.removeprefix(f"{self.api_path}/projects/").partition("/")
            if project != self.repository.replace("/", "%2F"):
                return Answer(404, {"message": "404 Project Not Found"})
            return self._route(request, [part for part in rest.split("/") if part])

    def _route(self, request: Request, path: list[str]) -> Answer:
        match request.method, path:
            case "GET", []:
                return Answer(200, {"id": 1, "default_branch": self.default_branch})
            case "GET", ["merge_requests"]:
                return Answer(200, self._list(request))
            case "POST", ["merge_requests"]:
                return self._create(request.document)
            case "GET", ["merge_requests", number]:
                return Answer(200, self.show(self.pull(int(number))))
            case "PUT", ["merge_requests", number]:
                return self._edit(self.pull(int(number)), request.document)
            case "POST", ["statuses", sha]:
                return self._status(sha, request.document)
            case "GET", ["repository", "commits", sha, "statuses"]:
                return Answer(200, [s for s in self.statuses.get(sha, []) if s["name"] == request.query["name"]])
        return Answer(404, {"error": "404 Not Found"})

    def pull(self, number: int) -> Pull:
        """Return the merge request of that number."""
        return next(pull for pull in self.pulls if pull.number == number)

    def _list(self, request: Request) -> list[JsonDict]:
        found = [pull for pull in reversed(self.pulls) if pull.head == request.query["source_branch"]]
        return [self.show(pull) for pull in found]

    def _create(self, wanted: JsonDict) -> Answer:
        head, base = wanted["source_branch"], wanted["target_branch"]
        open_ones = (pull for pull in self.pulls if pull.head == head and pull.base == base and pull.state == "open")
        if (other := next(open_ones, None)) is not None:
            message = f"Another open merge request already exists for this source branch: !{other.number}"
            return Answer(409, {"message": [message]})
        if missing := [name for name in (head, base) if name not in self._refs()]:
            return Answer(400, {"message": {"validate_branches": [f"Branch {missing[0]} does not exist"]}})
        title, body = wanted["title"], wanted["description"]
        pull = Pull(len(self.pulls) + 1, head, base, title, body, bool(_DRAFT.match(title)))
        self.pulls.append(pull)
        return Answer(201, self.show(pull))

    def _edit(self, pull: Pull, wanted: JsonDict) -> Answer:
        pull.title, pull.body = wanted.get("title", pull.title), wanted.get("description", pull.body)
        pull.draft = bool(_DRAFT.match(pull.title))
        labels = wanted.get("add_labels", "").split(",")
        pull.labels += [name for name in labels if name and name not in pull.labels]
        if "reviewer_ids" in wanted:
            names = {number: name for name, number in self.users.items()}
            pull.reviewers = [names[number] for number in wanted["reviewer_ids"]][:1]
        return Answer(200, self.show(pull))

    def _status(self, sha: str, wanted: JsonDict) -> Answer:
        if sha not in self._refs().values():
            return Answer(404, {"message": "404 Commit Not Found"})
        there = self.statuses.setdefault(sha, [])
        if there and there[0]["name"] == wanted["name"] and there[0]["status"] == wanted["state"]:
            event = _EVENTS[wanted["state"]]
            reason = f'Reason(s): Status cannot transition via "{event}"'
            return Answer(400, {"message": f"Cannot transition status via :{event} from :{wanted['state']} ({reason})"})
        there.insert(0, {"status": wanted["state"], **wanted})
        return Answer(201, there[0])

    def show(self, pull: Pull) -> JsonDict:
        """Return a merge request as the API shows it: as much of it as is used."""
        states: dict[str, Any] = {"open": "opened", "closed": "closed"}
        return {
            "iid": pull.number,
            "web_url": f"https://gitlab.example/{self.repository}/-/merge_requests/{pull.number}",
            "state": "merged" if pull.merged else states[pull.state],
            "draft": pull.draft,
            "title": pull.title,
            "description": pull.body,
            "source_branch": pull.head,
            "target_branch": pull.base,
            "source_project_id": 2 if pull.fork else 1,
            "target_project_id": 1,
            "labels": pull.labels,
            "reviewers": [{"id": self.users[name], "username": name} for name in pull.reviewers],
        }
