"""GitHub and GitHub Enterprise Server: REST API, version 2022-11-28."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from .answers import JsonDict, Reply, said_in
from .port import AlreadyExists, CommitStatus, HostFailure, PullRequest, PullRequestWish, State
from .rest import Connection, Rest
from .wishes import account, body_of, not_done, title_of

_HEADERS = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
    "User-Agent": "autopack-publisher",
}
_REFUSED = (403, 404, 422)
_MAX_DESCRIPTION = 140


class GitHub:
    """The pull requests of one repository at GitHub."""

    has_pull_requests = True

    def __init__(self, connection: Connection, repository: str) -> None:
        self._rest = Rest(connection, _HEADERS)
        self._owner = repository.partition("/")[0]
        self._path = f"/repos/{quote(repository)}"

    async def find(self, head: str, marker: str) -> PullRequest | None:
        """Ask for those of the branch, newest first: a branch has few."""
        query: dict[str, str | int] = {"head": f"{self._owner}:{head}", "state": "all", "per_page": 50}
        for found in await self._rest.get(f"{self._path}/pulls", query):
            # The filter knows the owner alone, who may have a fork beside the repository.
            own = (found["head"].get("repo") or {}).get("id") == found["base"]["repo"]["id"]
            if own and found["head"]["ref"] == head and marker in (found["body"] or ""):
                return _read(found)
        return None

    async def create(self, wish: PullRequestWish) -> PullRequest:
        """Open it; as no draft where the repository's plan has none."""
        reply = await self._create(wish, wish.draft)
        notes = []
        if reply.status == 422 and wish.draft and "draft" in said_in(reply.document).lower():
            reply = await self._create(wish, draft=False)
            notes.append("it is no draft: GitHub offers none for this repository")
        if reply.status == 422:
            raise _refusal(reply)
        return await self._finish(_read(reply.document), wish, notes)

    async def _create(self, wish: PullRequestWish, draft: bool) -> Reply:
        document = {"title": title_of(wish), "body": body_of(wish), "head": wish.head, "base": wish.base}
        return await self._rest.request("POST", f"{self._path}/pulls", None, document | {"draft": draft}, (422,))

    async def update(self, number: int, wish: PullRequestWish) -> PullRequest:
        """Give it title and body. Whether it is a draft is a person's to say once it is open."""
        document = {"title": title_of(wish), "body": body_of(wish)}
        found = _read(await self._rest.send("PATCH", f"{self._path}/pulls/{number}", document))
        return await self._finish(found, wish, [])

    async def _finish(self, found: PullRequest, wish: PullRequestWish, notes: list[str]) -> PullRequest:
        if wish.labels:
            path = f"{self._path}/issues/{found.number}/labels"
            notes.append(await self._try("labels", path, {"labels": list(wish.labels)}))
        names = [account(reviewer) for reviewer in wish.reviewers]
        if names and await self._reviewers(found.number, names):
            # One that is no collaborator has the whole request refused: ask for each, and say for whom it failed.
            notes += [await self._reviewers(found.number, [name]) for name in names]
        return found._replace(message=not_done(notes))

    async def _reviewers(self, number: int, names: Sequence[str]) -> str:
        document: dict[str, object] = {
            "reviewers": [name for name in names if "/" not in name],
            "team_reviewers": [name.rpartition("/")[2] for name in names if "/" in name],
        }
        return await self._try(
            f"reviewer {', '.join(names)}", f"{self._path}/pulls/{number}/requested_reviewers", document
        )

    async def _try(self, what: str, path: str, document: dict[str, object]) -> str:
        """Return what the host has against it; empty when it did it."""
        reply = await self._rest.request("POST", path, None, document, _REFUSED)
        return f"{what}: {said_in(reply.document)}" if reply.status in _REFUSED else ""

    async def set_status(self, sha: str, status: CommitStatus) -> None:
        """Add a status: the newest of a context counts."""
        document = {
            "state": status.state,
            "context": status.context,
            "description": status.description[:_MAX_DESCRIPTION],
        }
        link = {"target_url": status.link} if status.link else {}
        await self._rest.send("POST", f"{self._path}/statuses/{sha}", document | link)

    async def default_branch(self) -> str:
        """Ask for the repository."""
        return str((await self._rest.get(self._path))["default_branch"])


def _refusal(reply: Reply) -> HostFailure:
    said = said_in(reply.document)
    if "already exists" in said:
        return AlreadyExists(said)
    # A branch that was pushed a moment ago is not known everywhere at GitHub yet.
    late = "head invalid" in said
    return HostFailure("HostRefused", f"GitHub refused the pull request: {said}", transient=late)


def _read(document: JsonDict) -> PullRequest:
    state = State.MERGED if document["merged_at"] else State(document["state"])
    return PullRequest(
        number=int(document["number"]),
        url=str(document["html_url"]),
        state=state,
        base=str(document["base"]["ref"]),
        title=str(document["title"]),
        body=str(document["body"] or ""),
    )
