"""Status of the resources, as the operator writes it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from autopack_operator.domain import indexes


class StatusModel(BaseModel):
    """Base of everything under status: unknown fields are ignored, so that an older operator reads a newer status."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


def _is_index_ranges(text: str) -> str:
    indexes.parse(text)
    return text


MAX_OUTBOX = 16

ObservedGeneration = Annotated[int, Field(description="The metadata.generation that this was written for.")]
Phase = Annotated[str, Field(max_length=32, description="Where it is, derived from the conditions.")]
Reason = Annotated[str, Field(max_length=128, description="Why it is there, in one word, for programs.")]
Message = Annotated[str, Field(max_length=2048, description="Why it is there, in a sentence, for people.")]
Duration = Annotated[str | None, Field(description="For people, as 1m5s; set when it is finished.")]
StartedAt = Annotated[
    str | None, Field(description="When it first started to run.", json_schema_extra={"format": "date-time"})
]
FinishedAt = Annotated[
    str | None, Field(description="When it reached its final phase.", json_schema_extra={"format": "date-time"})
]


class Condition(StatusModel):
    """One observation, as metav1.Condition. `status` is True, False or Unknown."""

    type: Annotated[str, Field(max_length=64, description="What was observed, LeaseHeld for example.")]
    status: Annotated[str, Field(pattern="^(True|False|Unknown)$", description="Whether it holds.")]
    reason: Annotated[str, Field(min_length=1, max_length=128, description="Why, in one word, for programs.")]
    message: Annotated[str, Field(max_length=2048, description="Why, in a sentence, for people.")] = ""
    last_transition_time: Annotated[
        str, Field(max_length=32, description="When status last changed.", json_schema_extra={"format": "date-time"})
    ]
    observed_generation: ObservedGeneration = 0


Conditions = Annotated[list[Condition], Field(max_length=16, description="What was observed, each type once.")]


class Outcome(StatusModel):
    """How a run (or an attempt) ended, decided before its pod is gone (as SuccessCriteriaMet of the Job API)."""

    phase: Phase
    reason: Reason
    message: Message = ""


class Failures(StatusModel):
    """Failed attempts so far, by class."""

    infrastructure: Annotated[int, Field(description="Attempts that lost their pod, or never got one.")] = 0
    agent: Annotated[int, Field(description="Attempts whose command failed.")] = 0


class DeliveredPullRequest(StatusModel):
    """The pull request, as the git server has it."""

    number: Annotated[int, Field(description="Its number.")]
    url: Annotated[str, Field(max_length=2048, description="Where it can be seen.")]


class DeliveryStatus(StatusModel):
    """How far the delivery is. Written before the first request, so that no end of a process loses it."""

    state: Annotated[
        str,
        Field(
            pattern="^(Pending|AwaitingApproval|Delivered|Conflict|Refused|Failed)$",
            description="Pending, AwaitingApproval, Delivered, Conflict, Refused or Failed.",
        ),
    ]
    reason: Reason = ""
    message: Message = ""
    branch: Annotated[str, Field(description="Branch that is pushed.")] = ""
    commit: Annotated[str, Field(description="Commit that is delivered: the run's, or the one made of it.")] = ""
    source: Annotated[str, Field(description="The run's commit that this is, or was made of.")] = ""
    target: Annotated[str, Field(description="Address of the repository.")] = ""
    pull_request: DeliveredPullRequest | None = None
    approved_by: Annotated[str | None, Field(description="Who approved it.")] = None
    expected: Annotated[str, Field(description="Commit that was delivered to the same branch before.")] = ""
    request: Annotated[str, Field(max_length=64, description="Digest of the spec.deliver that this is about.")] = ""
    since: Annotated[
        str | None,
        Field(description="When this delivery began, or was approved.", json_schema_extra={"format": "date-time"}),
    ] = None


class Deliveries(StatusModel):
    """Deliveries of a batch's runs."""

    pending: Annotated[int, Field(description="Deliveries under way.")] = 0
    awaiting_approval: Annotated[int, Field(description="Deliveries that somebody has to approve.")] = 0
    delivered: Annotated[int, Field(description="Runs that were delivered.")] = 0
    failed: Annotated[int, Field(description="Deliveries that ended in any other way.")] = 0
    delivered_indexes: Annotated[str, AfterValidator(_is_index_ranges), Field(description="The runs delivered.")] = ""
    failed_indexes: Annotated[str, AfterValidator(_is_index_ranges), Field(description="The runs that were not.")] = ""


Number = Annotated[int | None, Field(ge=0)]


class ReportedUsage(StatusModel):
    """What agents used of models, as far as they tell. The largest number is 1000000000000: so much, or more."""

    requests: Annotated[Number, Field(description="Answers of models.")] = None
    turns: Annotated[Number, Field(description="Turns, as the agent counts them.")] = None
    input_tokens: Annotated[Number, Field(description="Tokens that were sent, those from the cache included.")] = None
    cached_tokens: Annotated[Number, Field(description="Those of them that came from the provider's cache.")] = None
    output_tokens: Annotated[Number, Field(description="Tokens that were answered, reasoning included.")] = None
    total_tokens: Annotated[Number, Field(description="Tokens that were sent and answered.")] = None
    cost_usd: Annotated[
        str | None,
        Field(
            alias="costUSD",
            max_length=32,
            description="Cost in US dollars, a decimal number such as 0.007785; absent where the agent tells none.",
        ),
    ] = None
    source: Annotated[
        str,
        Field(
            max_length=32,
            description="Who says so. gateway: what went through the gateway; agent: what the run printed, which "
            "nobody has checked.",
        ),
    ] = ""


class SpentBudget(StatusModel):
    """A budget that was spent, as it was then: the run waits until it is another."""

    scope: Annotated[str, Field(max_length=512, description="Whose: run:…, batch:… or profile:….")]
    usd: Annotated[str | None, Field(max_length=32, description="US dollars.")] = None
    tokens: Annotated[Number, Field(description="Tokens.")] = None
    requests: Annotated[Number, Field(description="Requests.")] = None


class AutopackRunStatus(StatusModel):
    """What the operator saw. `attempt` is the fencing token: an attempt's writes count only while it is named here."""

    observed_generation: ObservedGeneration = 0
    phase: Phase = ""
    reason: Reason = ""
    message: Message = ""
    attempt: Annotated[int, Field(description="Number of the newest attempt, from 1; 0 before the first.")] = 0
    failures: Failures = Failures()
    next_attempt_at: Annotated[
        str | None,
        Field(description="When the next attempt may start.", json_schema_extra={"format": "date-time"}),
    ] = None
    outcome: Outcome | None = None
    pod_name: Annotated[str | None, Field(description="Pod of the newest attempt.")] = None
    pod_uid: Annotated[str | None, Field(alias="podUID", description="UID of that pod.")] = None
    sha: Annotated[str | None, Field(description="Commit that the run started from.")] = None
    branch: Annotated[str | None, Field(description="Branch that the run works on.")] = None
    commit: Annotated[str | None, Field(description="Commit that the run's branch ended at.")] = None
    ref: Annotated[str | None, Field(description="Where that commit is in the shared repository.")] = None
    repository_key: Annotated[
        str | None, Field(description="Folder of the repository under .repos/ on the volume.")
    ] = None
    workspace: Annotated[str | None, Field(description="Path of the worktree on the volume.")] = None
    artifacts: Annotated[str | None, Field(description="Path of the artifacts on the volume.")] = None
    manifest_sha256: Annotated[
        str | None, Field(alias="manifestSHA256", description="Digest of the manifest of the committed artifacts.")
    ] = None
    snapshot: Annotated[
        str | None, Field(description="Commit that holds the last saved state, uncommitted files included.")
    ] = None
    resumed_from: Annotated[
        str | None, Field(description="Commit whose state this attempt's worktree began with; absent: the source's.")
    ] = None
    outbox: Annotated[
        dict[str, str] | None,
        Field(max_length=MAX_OUTBOX, description="Branches that the run pushed, and their commits; the first 16."),
    ] = None
    delivery: DeliveryStatus | None = None
    exit_code: Annotated[int | None, Field(description="Exit code of the newest attempt's command.")] = None
    usage: Annotated[
        ReportedUsage | None, Field(description="What the run's agent used, in all attempts that are over together.")
    ] = None
    spent_budget: SpentBudget | None = None
    summary: Annotated[
        str | None, Field(max_length=256, description="The first line of what the run's agent said last.")
    ] = None
    active_since: Annotated[
        str | None,
        Field(
            description="When the first attempt was claimed, counted again after a suspension.",
            json_schema_extra={"format": "date-time"},
        ),
    ] = None
    started_at: StartedAt = None
    finished_at: FinishedAt = None
    duration: Duration = None
    conditions: Conditions = []


class Indexes(StatusModel):
    """Finished runs of a batch as index ranges (`0-3,7`), bounded however large the batch is."""

    succeeded: Annotated[str, AfterValidator(_is_index_ranges), Field(description="Runs that succeeded.")] = ""
    failed: Annotated[str, AfterValidator(_is_index_ranges), Field(description="Runs that ended in any other way.")] = (
        ""
    )


class RunBatchStatus(StatusModel):
    """Counters of a batch; never a list that grows with it."""

    observed_generation: ObservedGeneration = 0
    phase: Phase = ""
    reason: Reason = ""
    message: Message = ""
    total: Annotated[int, Field(description="Runs of the batch.")] = 0
    pending: Annotated[int, Field(description="Runs that have not started.")] = 0
    active: Annotated[int, Field(description="Runs under way.")] = 0
    succeeded: Annotated[int, Field(description="Runs that succeeded.")] = 0
    failed: Annotated[int, Field(description="Runs that ended in any other way.")] = 0
    progress: Annotated[str, Field(description="For people, as 3/5.")] = ""
    effective_workers: Annotated[
        int, Field(description="Runs that may be under way at once: spec.workers, or the anchor's bound if lower.")
    ] = 0
    started: Annotated[int, Field(description="Runs with an index below this one have been created.")] = 0
    finished_indexes: Indexes = Indexes()
    usage: Annotated[
        ReportedUsage | None, Field(description="What the agents of the runs that are finished used, all together.")
    ] = None
    delivery: Annotated[
        Deliveries | None, Field(description="Deliveries of its runs; absent while there are none.")
    ] = None
    outcome: Outcome | None = None
    last_start_at: Annotated[
        str | None,
        Field(description="When a run was last started.", json_schema_extra={"format": "date-time"}),
    ] = None
    started_at: StartedAt = None
    finished_at: FinishedAt = None
    duration: Duration = None
    conditions: Conditions = []
