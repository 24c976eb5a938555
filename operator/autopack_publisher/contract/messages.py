"""What is sent and answered, as JSON objects. Fields are added, never renamed: either side may be older."""

# Annotations are read at run time here (which fields a request has): no `from __future__ import annotations`.

from typing import Literal, NotRequired, TypedDict


class Policy(TypedDict):
    """What may leave: branches that fit one of the patterns, no protected path, no more than so much (None: no limit).

    In patterns `*` and `?` stand for no slash, `**` for anything.
    """

    branches: list[str]
    protectedPaths: list[str]
    maxChangedFiles: int | None
    maxBytes: int | None


class PullRequestWish(TypedDict):
    """The pull request that shall be. The publisher adds the run's marker to the body."""

    title: str
    body: str
    draft: NotRequired[bool]
    labels: NotRequired[list[str]]
    reviewers: NotRequired[list[str]]


class DeliveryRequest(TypedDict):
    """An attempt's commit, and where it shall go.

    `ref` is one below refs/runs/<uid>/a<N> of the repository `repoKey`, `commit` what it is at, `base` the commit that
    the run began with. `credential` names one of the publisher's ("": the one with the longest prefix). `expected` is
    what was delivered to that branch before ("": nothing). `baseBranch` is the target's default branch when empty.
    `link` leads to the run's page.
    """

    runId: str
    name: str
    namespace: str
    repoKey: str
    ref: str
    commit: str
    base: str
    target: str
    credential: str
    branch: str
    baseBranch: str
    expected: str
    squash: bool
    message: str
    policy: Policy
    pullRequest: NotRequired[PullRequestWish]
    link: NotRequired[str]


class Pending(TypedDict):
    """Under way (202): ask again."""

    state: Literal["pending"]


class PullRequest(TypedDict):
    """A pull request at its host."""

    number: int
    url: str


class Delivered(TypedDict):
    """The branch is at `commit`, which is the squashed one where that was asked for. `message` says what of the wish
    was left undone.
    """

    state: Literal["delivered"]
    branch: str
    commit: str
    pullRequest: PullRequest | None
    message: str


class Conflict(TypedDict):
    """The branch is at a commit of somebody else's, and stays there."""

    state: Literal["conflict"]
    message: str


class Refused(TypedDict):
    """The policy, the secret scan or the git server does not let it through."""

    state: Literal["refused"]
    reason: str
    message: str


Final = Delivered | Conflict | Refused
"""An answer that stays (200)."""


class Failure(TypedDict):
    """422 is for good, anything else may pass."""

    state: Literal["failed"]
    reason: str
    message: str
