"""Status of the resources, as the operator writes it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from autopack_operator.domain import indexes


class StatusModel(BaseModel):
    """Base of everything under status: unknown fields are ignored, so that an older operator reads a newer status."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


class Condition(StatusModel):
    """One observation, as metav1.Condition. `status` is True, False or Unknown."""

    type: Annotated[str, Field(max_length=64)]
    status: Annotated[str, Field(pattern="^(True|False|Unknown)$")]
    reason: Annotated[str, Field(min_length=1, max_length=128)]
    message: Annotated[str, Field(max_length=2048)] = ""
    last_transition_time: Annotated[str, Field(max_length=32, json_schema_extra={"format": "date-time"})]
    observed_generation: int = 0


class Outcome(StatusModel):
    """How a run (or an attempt) ended, decided before its pod is gone (as SuccessCriteriaMet of the Job API)."""

    phase: Annotated[str, Field(max_length=32)]
    reason: Annotated[str, Field(max_length=128)]
    message: Annotated[str, Field(max_length=2048)] = ""


class Failures(StatusModel):
    """Failed attempts so far, by class."""

    infrastructure: int = 0
    agent: int = 0


class AutopackRunStatus(StatusModel):
    """What the operator saw. `attempt` is the fencing token: an attempt's writes count only while it is named here."""

    observed_generation: int = 0
    phase: Annotated[str, Field(max_length=32)] = ""
    reason: Annotated[str, Field(max_length=128)] = ""
    message: Annotated[str, Field(max_length=2048)] = ""
    attempt: int = 0
    failures: Failures = Failures()
    next_attempt_at: Annotated[str | None, Field(json_schema_extra={"format": "date-time"})] = None
    outcome: Outcome | None = None
    pod_name: str | None = None
    pod_uid: Annotated[str | None, Field(alias="podUID")] = None
    sha: Annotated[str | None, Field(description="Commit that the run started from.")] = None
    branch: str | None = None
    commit: Annotated[str | None, Field(description="Commit that the run's branch ended at.")] = None
    ref: Annotated[str | None, Field(description="Where that commit is in the shared repository.")] = None
    repository_key: str | None = None
    workspace: Annotated[str | None, Field(description="Path on the volume.")] = None
    artifacts: Annotated[str | None, Field(description="Path on the volume.")] = None
    manifest_sha256: Annotated[str | None, Field(alias="manifestSHA256")] = None
    snapshot: Annotated[
        str | None, Field(description="Commit that holds the last saved state, uncommitted files included.")
    ] = None
    resumed_from: Annotated[
        str | None, Field(description="Commit whose state this attempt's worktree began with; absent: the source's.")
    ] = None
    exit_code: int | None = None
    active_since: Annotated[
        str | None,
        Field(
            description="When the first attempt was claimed, counted anew after a suspension.",
            json_schema_extra={"format": "date-time"},
        ),
    ] = None
    started_at: Annotated[str | None, Field(json_schema_extra={"format": "date-time"})] = None
    finished_at: Annotated[str | None, Field(json_schema_extra={"format": "date-time"})] = None
    duration: Annotated[str | None, Field(description="For people, as 1m5s; set when the run is finished.")] = None
    conditions: Annotated[list[Condition], Field(max_length=16)] = []


def _is_index_ranges(text: str) -> str:
    indexes.parse(text)
    return text


class Indexes(StatusModel):
    """Finished runs of a batch as index ranges (`0-3,7`), bounded however large the batch is."""

    succeeded: Annotated[str, AfterValidator(_is_index_ranges)] = ""
    failed: Annotated[str, AfterValidator(_is_index_ranges)] = ""


class RunBatchStatus(StatusModel):
    """Counters of a batch; never a list that grows with it."""

    observed_generation: int = 0
    phase: Annotated[str, Field(max_length=32)] = ""
    reason: Annotated[str, Field(max_length=128)] = ""
    message: Annotated[str, Field(max_length=2048)] = ""
    total: int = 0
    pending: int = 0
    active: int = 0
    succeeded: int = 0
    failed: int = 0
    progress: Annotated[str, Field(description="For people, as 3/5.")] = ""
    effective_workers: int = 0
    started: Annotated[int, Field(description="Runs with an index below this one have been created.")] = 0
    finished_indexes: Indexes = Indexes()
    outcome: Outcome | None = None
    last_start_at: Annotated[
        str | None,
        Field(description="When a run was last started.", json_schema_extra={"format": "date-time"}),
    ] = None
    started_at: Annotated[str | None, Field(json_schema_extra={"format": "date-time"})] = None
    finished_at: Annotated[str | None, Field(json_schema_extra={"format": "date-time"})] = None
    duration: str | None = None
    conditions: Annotated[list[Condition], Field(max_length=16)] = []
