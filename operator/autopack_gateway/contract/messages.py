"""What is sent and answered, as JSON objects. Fields are added, never renamed: either side may be older."""

# Annotations are read at run time here (which fields a request has): no `from __future__ import annotations`.

from typing import NotRequired, TypedDict


class Allowed(TypedDict):
    """A provider that a run may use, and which of its models: patterns as in fnmatch; without any, all of them."""

    name: str
    models: list[str]


class Budget(TypedDict):
    """A bound that everything with the same scope shares: `run:<uid>`, `batch:<uid>`, `profile:<name>:<window start>`.

    `usd` is a decimal number as text. What is not given is not bounded. The newest grant that names a scope says its
    bounds.
    """

    scope: str
    usd: NotRequired[str]
    tokens: NotRequired[int]
    requests: NotRequired[int]


class Grant(TypedDict):
    """What the pod of an attempt may ask for. `batch` is the batch's UID, empty for a run of its own."""

    uid: str
    attempt: int
    podUid: str
    runName: str
    batch: str
    providers: list[Allowed]
    budgets: list[Budget]
    priority: int


class Granted(TypedDict):
    """The grant is in the journal."""

    uid: str
    attempt: int


class Revoked(TypedDict):
    """There is no grant for this attempt, nor for an earlier one of the run."""

    uid: str
    attempt: int


class Used(TypedDict):
    """What was used. `inputTokens` include `cachedTokens`, those that the provider read from its cache.

    `costUSD` is a decimal number as text; `estimated` counts the requests whose usage the upstream did not tell: they
    count as much as they could have used.
    """

    requests: int
    inputTokens: int
    outputTokens: int
    cachedTokens: int
    costUSD: str
    estimated: int


class RunUsed(Used):
    """All of a run's attempts. `perModel` has `<provider>/<model>`. `exhausted` is the scope of the budget for which a
    request of the run was refused since its last grant.
    """

    uid: str
    perModel: dict[str, Used]
    exhausted: str | None


class Busy(TypedDict):
    """How busy a provider is: requests that it gets at once at most, that it has, that wait; seconds of a pause."""

    name: str
    concurrency: int
    underWay: int
    waiting: int
    pausedSeconds: float


class Spent(TypedDict):
    """The runs that something changed about after the cursor; the new cursor is opaque. Without one: all runs."""

    cursor: str
    runs: list[RunUsed]
    providers: list[Busy]


class Refusal(TypedDict):
    """Why a run's request was not passed on: `type` is one of `reasons`."""

    type: str
    message: str


class Refused(TypedDict):
    """The body of such an answer, in the form that clients of model APIs read."""

    error: Refusal


class Failure(TypedDict):
    """The body of a refusal of the operator's requests: 400 is for good, anything else may pass."""

    reason: str
    message: str
