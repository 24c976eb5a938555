"""A git server that is nothing else: it gets the branch, and nobody can be asked for more."""

from __future__ import annotations

from typing import NoReturn

from .port import CommitStatus, HostFailure, PullRequest, PullRequestWish


class Plain:
    """No pull requests, no statuses."""

    has_pull_requests = False

    async def find(self, head: str, marker: str) -> PullRequest | None:  # noqa: ARG002 - as the port has it
        """Find none: nobody can have made one."""
        return None

    async def create(self, wish: PullRequestWish) -> PullRequest:  # noqa: ARG002 - as the port has it
        """Refuse."""
        _refuse()

    async def update(self, number: int, wish: PullRequestWish) -> PullRequest:  # noqa: ARG002 - as the port has it
        """Refuse."""
        _refuse()

    async def set_status(self, sha: str, status: CommitStatus) -> None:
        """Do nothing: a status is a courtesy to readers of a page that this server does not have."""

    async def default_branch(self) -> str:
        """Refuse: git itself tells it."""
        _refuse()


def _refuse() -> NoReturn:
    message = "this git server has no pull requests"
    raise HostFailure("NoPullRequests", message, "Take pullRequest out, or give the credential another host.kind")
