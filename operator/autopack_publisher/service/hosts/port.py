"""What delivering needs from a git host beyond git itself: pull requests and the status of a commit."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, Protocol

from autopack.errors import AutopackError


class State(StrEnum):
    """How a pull request stands."""

    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


class PullRequest(NamedTuple):
    """A pull request as its host has it. `message` names what of a wish the host would not do, such as a reviewer."""

    number: int
    url: str
    state: State
    base: str
    title: str
    body: str
    message: str = ""


class PullRequestWish(NamedTuple):
    """The pull request that shall be. `body` carries the run's marker. Labels and reviewers are added, never taken."""

    head: str
    base: str
    title: str
    body: str
    draft: bool = False
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()


class StatusState(StrEnum):
    """What a commit's status says."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"


class CommitStatus(NamedTuple):
    """A line on a commit's page; the same `context` again replaces it. `link` may be empty."""

    context: str
    state: StatusState
    link: str
    description: str


class Host(Protocol):
    """The pull requests of one repository. Everything raises HostFailure, and everything may be asked twice.

    An answer that never came says nothing: whoever asked finds out with `find`.
    """

    @property
    def has_pull_requests(self) -> bool:
        """Whether this host has pull requests at all; a plain git server does not."""
        ...

    async def find(self, head: str, marker: str) -> PullRequest | None:
        """Return the newest pull request from the branch `head` whose body has the marker, in whatever state."""
        ...

    async def create(self, wish: PullRequestWish) -> PullRequest:
        """Open a pull request; AlreadyExists when the branch has an open one: find it, it may be another's."""
        ...

    async def update(self, number: int, wish: PullRequestWish) -> PullRequest:
        """Give a pull request the wished title, body, labels and reviewers. A closed one stays closed."""
        ...

    async def set_status(self, sha: str, status: CommitStatus) -> None:
        """Put a status on a commit."""
        ...

    async def default_branch(self) -> str:
        """Return the name of the branch that pull requests go to unless they say otherwise."""
        ...


class HostFailure(AutopackError):  # noqa: N818 - what happened, as its reason says
    """A host did not do it. `transient`: it may later, not before `retry_after` seconds where the host said so."""

    def __init__(
        self, reason: str, message: str, fix: str = "", *, transient: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(reason, message, fix)
        self.transient = transient
        self.retry_after = retry_after


class AlreadyExists(HostFailure):
    """The branch has an open pull request already: this one, whose answer was lost, or one of another's."""

    def __init__(self, message: str) -> None:
        super().__init__("PullRequestExists", message, "Close it, or deliver to another branch")
