"""What becomes of a finished run's work outside of the volume: a branch on a git server, and a pull request."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from autopack_operator.domain.api.common import Model
from autopack_operator.domain.api.git_names import Address, Branch, BranchPattern

PLACEHOLDER_IN_BRANCH = "{NAME} in deliver.branch is filled in by a RunBatch only; write the name itself"
ONE_BRANCH_EACH = (
    "the runs of a batch need a branch each: leave spec.template.deliver.branch out, or give it a {NAME} that differs"
)

Commit = Annotated[
    str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$", max_length=64, description="The full id of the commit.")
]
Glob = Annotated[str, Field(min_length=1, max_length=256)]


class Include(StrEnum):
    """What of the work is delivered."""

    COMMITS = "Commits"
    SNAPSHOT = "Snapshot"


class When(StrEnum):
    """Which ends of a run are followed by a delivery."""

    SUCCEEDED = "Succeeded"
    ALWAYS = "Always"


class PullRequest(Model):
    """The pull request (merge request) for the branch."""

    title: Annotated[
        str | None,
        Field(min_length=1, max_length=256, description="Absent: what the run's agent said last, or the run's name."),
    ] = None
    body: Annotated[str, Field(max_length=16_384, description="Text below the title; facts about the run follow.")] = ""
    base: Annotated[
        Branch | None,
        Field(
            description="Branch that it is to be merged into; absent: source.ref, or the repository's default branch."
        ),
    ] = None
    draft: Annotated[bool, Field(description="Open it as a draft.")] = False
    labels: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=20, description="Its labels.")
    ] = []
    reviewers: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=100)]],
        Field(max_length=20, description="Names, on the git server, of those who are asked to review it."),
    ] = []


class Deliver(Model):
    """Push the work as a branch once the run is finished. The RunProfile says what is allowed."""

    target: Annotated[
        Address | None, Field(description="Address of the repository to push to; source.url when absent.")
    ] = None
    branch: Annotated[
        BranchPattern | None,
        Field(
            description="Branch to push; agents/<run>, or agents/<batch>/<run>, when absent. In the template of a "
            "batch {NAME} stands for a run's variable."
        ),
    ] = None
    when: Annotated[
        When, Field(description="Succeeded: only the work of a run that succeeded. Always: whatever its end.")
    ] = When.SUCCEEDED
    include: Annotated[
        Include,
        Field(description="Commits: the branch that the run left or pushed. Snapshot: uncommitted files as well."),
    ] = Include.COMMITS
    squash: Annotated[bool, Field(description="Deliver one commit instead of the run's own.")] = False
    pull_request: Annotated[
        PullRequest | None, Field(description="Open a pull request; {} for one with what follows from the run.")
    ] = None
    round: Annotated[
        int, Field(ge=0, le=1_000_000, description="Raise it to have a delivery that came to its end tried again.")
    ] = 0


class ApprovalRule(StrEnum):
    """Whether somebody has to approve a delivery."""

    NONE = "None"
    REQUIRED = "Required"


class DeliveryPolicy(Model):
    """Where the work of runs may be delivered, and what of it."""

    credential: Annotated[
        str,
        Field(
            max_length=63,
            pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$",
            description="Name among publisher.credentials of the chart; absent: the longest prefix that fits.",
        ),
    ] = ""
    targets: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=2048)]],
        Field(
            max_length=100,
            description="Shell-style patterns (*, ?) of addresses that may be pushed to; only source.url when empty.",
        ),
    ] = []
    branches: Annotated[
        list[Glob],
        Field(
            min_length=1,
            max_length=32,
            description="Patterns of branches that may be pushed: * and ? stand for no slash, ** for anything.",
        ),
    ] = ["agents/**"]
    protected_paths: Annotated[
        list[Glob], Field(max_length=100, description="Patterns of paths that no delivery may change.")
    ] = []
    max_changed_files: Annotated[
        int | None, Field(ge=1, le=1_000_000, description="Most files that a delivery may change.")
    ] = None
    max_bytes: Annotated[
        int | None, Field(ge=1, le=1 << 40, description="Most bytes that a delivery's new files may have together.")
    ] = None
    approval: Annotated[
        ApprovalRule,
        Field(description="Required: somebody with the verb approve on autopackruns has to approve each commit."),
    ] = ApprovalRule.NONE


class Decision(StrEnum):
    """What an approver says."""

    APPROVED = "Approved"
    REJECTED = "Rejected"


class Approval(Model):
    """Somebody's answer to a delivery that awaits approval; it counts for this commit on this branch alone. The API
    server lets nobody set it who has not the verb approve (or reject) on autopackruns.
    """

    decision: Annotated[Decision, Field(description="Approved or Rejected.")]
    commit: Commit
    branch: Annotated[Branch, Field(description="The branch that it may be pushed to.")]
    by: Annotated[str, Field(min_length=1, max_length=256, description="Who says so: the name of the requesting user.")]
    message: Annotated[str, Field(max_length=1024, description="Why, for people.")] = ""
