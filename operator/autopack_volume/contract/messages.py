"""What is sent and answered, as JSON objects. Fields are added, never renamed: either side may be older."""

# Annotations are read at run time here (which fields a request has): no `from __future__ import annotations`.

from typing import Literal, NotRequired, TypedDict

State = Literal["refused", "live", "committed", "failed"]
"""`refused`: it could not be prepared; `live`: what it leaves may still change; `failed`: its commit was refused."""


class Source(TypedDict, total=False):
    """Exactly one of the two: an address, or the name of an imported repository."""

    url: str
    repository: str


class PrepareRequest(TypedDict):
    """`resume`: begin with what the attempt before left. `incomplete`: whatever of the commit worktrees lack. What the
    command is asked to do is `prompt`, or what the file `promptFile` of the commit says.
    """

    runId: str
    source: Source
    ref: str
    branch: str
    resume: NotRequired[bool]
    incomplete: NotRequired[bool]
    prompt: NotRequired[str]
    promptFile: NotRequired[str]


class Reachable(TypedDict):
    """A repository can be fetched. `credential` names the one of git.credentials that is used for it, if one is."""

    state: Literal["reachable"]
    credential: str


class CommitRequest(TypedDict):
    """`removeWorkspace`: if all in it is saved."""

    runId: str
    removeWorkspace: NotRequired[bool]


class Pending(TypedDict):
    """Asked too early (202): ask again."""

    state: Literal["pending"]


class Failure(TypedDict):
    """422 is for good, anything else may pass."""

    state: Literal["failed"]
    reason: str
    message: str


class Ready(TypedDict):
    """A prepared attempt. Paths are relative to the volume; `kept` was not sent while our files were artifacts."""

    state: Literal["ready"]
    repoKey: str
    sha: str
    workspace: str
    artifacts: str
    kept: NotRequired[str]
    resumedFrom: NotRequired[str]


class UnsavedFile(TypedDict):
    """A file that could not be kept: its path in the worktree, its size in bytes (None: unknown), and why."""

    path: str
    bytes: int | None
    reason: str


class Usage(TypedDict, total=False):
    """What an agent used, as far as it is known. `costUSD` is a decimal number as text, `source` who says all this."""

    requests: int
    inputTokens: int
    outputTokens: int
    cachedTokens: int
    turns: int
    costUSD: str
    source: str


class Committed(TypedDict):
    """An attempt whose commits and files are kept. `ref` is in results.git, `bytes` those of all artifacts.

    `saved` says how much of the work is kept, `unsaved` names what is not, as far as the list goes. `outbox` are the
    branches that the run pushed, kept as `outbox/<branch>`; it was not sent while nothing could be pushed. `usage` and
    `summary` are what its agent told, if it had one that tells.
    """

    state: Literal["committed"]
    complete: bool
    saved: Literal["all", "partly", "none", "unknown"]
    unsaved: list[UnsavedFile]
    unsavedCount: int
    exitCode: int | None
    stopReason: str | None
    head: str
    ref: str
    branches: dict[str, str]
    outbox: NotRequired[dict[str, str]]
    snapshot: str | None
    manifestSha256: str
    files: int
    bytes: int
    usage: NotRequired[Usage]
    summary: NotRequired[str]


class UnfinishedAttempt(TypedDict):
    """Prepared and never committed."""

    uid: str
    runId: str
    attempt: int


class Unfinished(TypedDict):
    """All of them."""

    unfinished: list[UnfinishedAttempt]


class Attempt(TypedDict):
    """How far an attempt is: what it began with, and the answer to its commit; or why it was refused."""

    uid: str
    attempt: int
    runId: str
    state: State
    repoKey: NotRequired[str]
    baseSha: NotRequired[str]
    branch: NotRequired[str]
    commit: NotRequired[Committed | Failure | None]
    reason: NotRequired[str]
    message: NotRequired[str]


class Run(TypedDict):
    """The attempts of a run, oldest first."""

    uid: str
    attempts: list[Attempt]


class Artifact(TypedDict):
    """A file has `size` in bytes and, once committed, `sha256`; a symlink has `link`."""

    path: str
    size: NotRequired[int]
    sha256: NotRequired[str | None]
    link: NotRequired[str]


class Listing(TypedDict):
    """The artifacts of an attempt."""

    state: State
    files: list[Artifact]
    truncated: bool


class Conflict(TypedDict):
    """Two attempts, or the base and one, that change the same."""

    first: str
    second: str
    paths: list[str]
    morePaths: int


class Forecast(TypedDict):
    """How branches would merge; attempts are named `<uid>/<number>`."""

    state: Literal["done"]
    base: str
    baseSha: str
    runs: dict[str, str]
    order: list[str]
    leftOut: list[Conflict]
    conflicts: list[Conflict]
    merged: list[str]
