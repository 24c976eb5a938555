"""Gitea and Forgejo: REST API, version 1."""

from __future__ import annotations

import re
from urllib.parse import quote

from .answers import JsonDict, said_in
from .port import AlreadyExists, CommitStatus, HostFailure, PullRequest, PullRequestWish, State
from .rest import Connection, Rest
from .wishes import account, body_of, missing, not_done, title_of

_DRAFT = re.compile(r"\s*(WIP:|\[WIP\])\s*", re.IGNORECASE)
_PAGE = 50
_MAX_PAGES = 40
"""Gitea has no filter for the branch. A run's pull request is among the newest, an open one is found by the refusal."""
_REFUSED = (403, 404, 422)
_NEW_LABEL = "#ededed"


class Gitea:
    """The pull requests of one repository at a Gitea or Forgejo."""

    has_pull_requests = True

    def __init__(self, connection: Connection, repository: str) -> None:
        self._rest = Rest(connection, {"Accept": "application/json"})
        self._owner = repository.partition("/")[0]
        self._path = f"/repos/{quote(repository)}"

    async def find(self, head: str, marker: str) -> PullRequest | None:
        """Go through the newest 2,000, newest first."""
        for page in range(1, _MAX_PAGES + 1):
            query: dict[str, str | int] = {"state": "all", "limit": _PAGE, "page": page}
            reply = await self._rest.request("GET", f"{self._path}/pulls", query)
            for found in reply.document:
                own = found["head"]["repo_id"] == found["base"]["repo_id"]
                # The branch's name goes over to the request's own ref when the branch is deleted.
                if own and head in (found["head"]["ref"], found["head"]["label"]) and marker in (found["body"] or ""):
                    return _read(found)
            if 'rel="next"' not in reply.headers.get("Link", ""):
                break
        return None

    async def create(self, wish: PullRequestWish) -> PullRequest:
        """Open it."""
        document = {
            "head": wish.head,
            "base": wish.base,
            "title": ("WIP: " if wish.draft else "") + title_of(wish),
            "body": body_of(wish),
        }
        reply = await self._rest.request("POST", f"{self._path}/pulls", None, document, (409, 422))
        if reply.status == 409:
            raise AlreadyExists(said_in(reply.document))
        if reply.status == 422:
            raise HostFailure("HostRefused", f"Gitea refused the pull request: {said_in(reply.document)}")
        return await self._finish(_read(reply.document), wish)

    async def update(self, number: int, wish: PullRequestWish) -> PullRequest:
        """Give it title and body. Whether it is a draft is a person's to say once it is open."""
        path = f"{self._path}/pulls/{number}"
        draft = _DRAFT.match((await self._rest.get(path))["title"])
        title = (draft.group() if draft else "") + title_of(wish)
        found = await self._rest.send("PATCH", path, {"title": title, "body": body_of(wish)})
        return await self._finish(_read(found), wish)

    async def _finish(self, found: PullRequest, wish: PullRequestWish) -> PullRequest:
        notes = [await self._label(found.number, wish.labels)] if wish.labels else []
        for reviewer in wish.reviewers:
            # One that is unknown has the whole request refused.
            name = account(reviewer)
            kind = "team_reviewers" if "/" in name else "reviewers"
            path = f"{self._path}/pulls/{found.number}/requested_reviewers"
            reply = await self._rest.request("POST", path, None, {kind: [name.rpartition("/")[2]]}, _REFUSED)
            if reply.status in _REFUSED:
                notes.append(f"reviewer {name}: {said_in(reply.document) or 'refused'}")
        return found._replace(message=not_done(notes))

    async def _label(self, number: int, names: tuple[str, ...]) -> str:
        """Add labels by number, which old versions want, and make those that are not there, as other hosts do."""
        known = await self._labels(f"{self._path}/labels") | await self._labels(f"/orgs/{quote(self._owner)}/labels")
        notes = ""
        for name in missing(names, known):
            document = {"name": name, "color": _NEW_LABEL}
            reply = await self._rest.request("POST", f"{self._path}/labels", None, document, _REFUSED)
            if reply.status in _REFUSED:
                notes = f"label {name}: {said_in(reply.document) or 'refused'}"
            else:
                known[name.casefold()] = reply.document["id"]
        numbers = [known[name.casefold()] for name in names if name.casefold() in known]
        path = f"{self._path}/issues/{number}/labels"
        if numbers and (
            reply := await self._rest.request("POST", path, None, {"labels": numbers}, _REFUSED)
        ).status in (_REFUSED):
            notes = f"labels: {said_in(reply.document) or 'refused'}"
        return notes

    async def _labels(self, path: str) -> dict[str, int]:
        """Return the labels of a repository or an organisation: a user has none, and a token may not see them."""
        found: dict[str, int] = {}
        for page in range(1, _MAX_PAGES + 1):
            reply = await self._rest.request("GET", path, {"limit": _PAGE, "page": page}, None, (403, 404))
            if reply.status in (403, 404):
                break
            found |= {label["name"].casefold(): label["id"] for label in reply.document}
            if 'rel="next"' not in reply.headers.get("Link", ""):
                break
        return found

    async def set_status(self, sha: str, status: CommitStatus) -> None:
        """Add a status: the newest of a context counts."""
        document = {"state": status.state, "context": status.context, "description": status.description}
        link = {"target_url": status.link} if status.link else {}
        await self._rest.send("POST", f"{self._path}/statuses/{sha}", document | link)

    async def default_branch(self) -> str:
        """Ask for the repository."""
        return str((await self._rest.get(self._path))["default_branch"])


def _read(document: JsonDict) -> PullRequest:
    title = str(document["title"])
    return PullRequest(
        number=int(document["number"]),
        url=str(document["html_url"]),
        state=State.MERGED if document["merged"] else State(document["state"]),
        base=str(document["base"]["ref"]),
        title=_DRAFT.sub("", title, count=1) if _DRAFT.match(title) else title,
        body=str(document["body"] or ""),
    )
