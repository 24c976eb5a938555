"""GitLab: REST API, version 4. Its merge requests are the pull requests here."""

from __future__ import annotations

import re
from urllib.parse import quote

from .answers import JsonDict, said_in
from .port import AlreadyExists, CommitStatus, HostFailure, PullRequest, PullRequestWish, State, StatusState
from .rest import Connection, Rest
from .wishes import account, body_of, missing, not_done, title_of

_DRAFT = re.compile(r"\s*(draft:|\[draft\]|\(draft\))\s*", re.IGNORECASE)
_STATES = {"opened": State.OPEN, "locked": State.OPEN, "closed": State.CLOSED, "merged": State.MERGED}
_STATUSES = {StatusState.PENDING: "pending", StatusState.SUCCESS: "success", StatusState.FAILURE: "failed"}


class GitLab:
    """The merge requests of one project at GitLab."""

    has_pull_requests = True

    def __init__(self, connection: Connection, repository: str) -> None:
        self._rest = Rest(connection, {"Accept": "application/json"})
        self._path = f"/projects/{quote(repository, safe='')}"

    async def find(self, head: str, marker: str) -> PullRequest | None:
        """Ask for those of the branch, newest first: a branch has few."""
        query: dict[str, str | int] = {"source_branch": head, "state": "all", "order_by": "created_at", "sort": "desc"}
        for found in await self._rest.get(f"{self._path}/merge_requests", query | {"per_page": 50}):
            own = found["source_project_id"] == found["target_project_id"]
            if own and found["source_branch"] == head and marker in (found["description"] or ""):
                return _read(found)
        return None

    async def create(self, wish: PullRequestWish) -> PullRequest:
        """Open it."""
        document = {
            "source_branch": wish.head,
            "target_branch": wish.base,
            "title": ("Draft: " if wish.draft else "") + title_of(wish),
            "description": body_of(wish),
        }
        reply = await self._rest.request("POST", f"{self._path}/merge_requests", None, document, (409,))
        if reply.status == 409:
            said = said_in(reply.document)
            raise AlreadyExists(said) if "already exists" in said else _refused(said)
        return await self._finish(reply.document, wish, {})

    async def update(self, number: int, wish: PullRequestWish) -> PullRequest:
        """Give it title and description. Whether it is a draft is a person's to say once it is open."""
        found = await self._rest.get(f"{self._path}/merge_requests/{number}")
        draft = _DRAFT.match(found["title"])
        title = (draft.group() if draft else "") + title_of(wish)
        return await self._finish(found, wish, {"title": title, "description": body_of(wish)})

    async def _finish(self, found: JsonDict, wish: PullRequestWish, document: dict[str, object]) -> PullRequest:
        """Send what is left: GitLab takes labels as a list with commas, and reviewers by number, all at once."""
        there = {reviewer["username"]: reviewer["id"] for reviewer in found.get("reviewers") or ()}
        names = [account(reviewer) for reviewer in wish.reviewers]
        wanted = dict(there)
        for name in missing(names, there):
            wanted |= {user["username"]: user["id"] for user in await self._rest.get("/users", {"username": name})}
        if wanted != there:
            document = document | {"reviewer_ids": list(wanted.values())}
        if wish.labels:
            document = document | {"add_labels": ",".join(wish.labels)}
        if document:
            path = f"{self._path}/merge_requests/{found['iid']}"
            found = await self._rest.send("PUT", path, document)
        absent = missing(names, [reviewer["username"] for reviewer in found.get("reviewers") or ()])
        note = f"reviewer {', '.join(absent)}: GitLab knows none of that name here, or takes no more" if absent else ""
        return _read(found)._replace(message=not_done([note]))

    async def set_status(self, sha: str, status: CommitStatus) -> None:
        """Set it. GitLab refuses to set what is set already, so then ask what it is."""
        state = _STATUSES[status.state]
        document = {"state": state, "name": status.context, "description": status.description}
        link = {"target_url": status.link} if status.link else {}
        reply = await self._rest.request("POST", f"{self._path}/statuses/{sha}", None, document | link, (400,))
        if reply.status != 400:
            return
        path = f"{self._path}/repository/commits/{sha}/statuses"
        there = await self._rest.get(path, {"name": status.context, "all": "true", "order_by": "id", "sort": "desc"})
        if not there or there[0]["status"] != state:
            raise _refused(said_in(reply.document))

    async def default_branch(self) -> str:
        """Ask for the project."""
        return str((await self._rest.get(self._path))["default_branch"])


def _refused(said: str) -> HostFailure:
    return HostFailure("HostRefused", f"GitLab refused: {said}")


def _read(document: JsonDict) -> PullRequest:
    title = str(document["title"])
    return PullRequest(
        number=int(document["iid"]),
        url=str(document["web_url"]),
        state=_STATES[document["state"]],
        base=str(document["target_branch"]),
        title=_DRAFT.sub("", title, count=1) if _DRAFT.match(title) else title,
        body=str(document["description"] or ""),
    )
