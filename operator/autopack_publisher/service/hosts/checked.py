"""A host whose answers may have any shape: one that nobody foresaw is a failure like others."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from autopack.errors import printable

from .port import CommitStatus, Host, HostFailure, PullRequest, PullRequestWish

_SURPRISES = (LookupError, TypeError, ValueError, AttributeError)


class Checked:
    """Asks another host, and names an answer that could not be read."""

    def __init__(self, host: Host, where: str) -> None:
        self._host, self._where = host, where

    @property
    def has_pull_requests(self) -> bool:
        """As the host has it."""
        return self._host.has_pull_requests

    async def find(self, head: str, marker: str) -> PullRequest | None:
        """Ask the host."""
        with self._reading():
            return await self._host.find(head, marker)

    async def create(self, wish: PullRequestWish) -> PullRequest:
        """Ask the host."""
        with self._reading():
            return await self._host.create(wish)

    async def update(self, number: int, wish: PullRequestWish) -> PullRequest:
        """Ask the host."""
        with self._reading():
            return await self._host.update(number, wish)

    async def set_status(self, sha: str, status: CommitStatus) -> None:
        """Ask the host."""
        with self._reading():
            await self._host.set_status(sha, status)

    async def default_branch(self) -> str:
        """Ask the host."""
        with self._reading():
            return await self._host.default_branch()

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except _SURPRISES as error:
            message = (
                f"{self._where} answered with something else than this kind of host does: {printable(repr(error))}"
            )
            raise HostFailure("HostAnswer", message, "Correct host.kind and host.api", transient=True) from error
