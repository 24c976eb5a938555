"""AutopackRun: one autonomous run in its own worktree and its own pod."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import ConfigDict, Field, JsonValue, model_validator

from autopack_operator.domain.api.agents import AgentChoice, Prompt, PromptFrom
from autopack_operator.domain.api.budgets import Budget
from autopack_operator.domain.api.common import MAX_ENV, Argument, EnvVar, Model, ProfileRef, Source
from autopack_operator.domain.api.deliver import PLACEHOLDER_IN_BRANCH, Approval, Deliver


class DatabaseMode(StrEnum):
    """What DATABASE_URL a run gets."""

    NONE = "None"
    PER_RUN_SQLITE = "PerRunSQLite"
    POSTGRES = "Postgres"


class WorkspaceCleanup(StrEnum):
    """When the worktree of a finished attempt is removed. Its branches, snapshot and artifacts always stay."""

    ON_SUCCESS = "OnSuccess"
    ALWAYS = "Always"
    NEVER = "Never"


class StartFrom(StrEnum):
    """What the worktree of an attempt after the first holds."""

    SNAPSHOT = "Snapshot"
    SOURCE = "Source"


ExitCode = Annotated[int, Field(ge=1, le=255)]


class Retry(Model):
    """How often a failed attempt is followed by another, by class of failure."""

    infrastructure: Annotated[
        int, Field(ge=0, le=20, description="Pod lost, evicted, out of memory, image not pulled, node gone.")
    ] = 2
    agent: Annotated[int, Field(ge=0, le=20, description="The command ended with a non-zero exit code.")] = 0
    exit_codes: Annotated[
        list[ExitCode],
        Field(max_length=64, description="Only these exit codes are followed by another attempt; all when empty."),
    ] = []
    backoff_seconds: Annotated[int, Field(ge=0, le=3600, description="Wait before attempt 2; doubles each time.")] = 10
    start_from: Annotated[
        StartFrom,
        Field(
            description="Snapshot: the next attempt continues from the last saved state, uncommitted files included. "
            "Source: it starts again from the commit of the first one."
        ),
    ] = StartFrom.SNAPSHOT


class Workspace(Model):
    """What happens to the worktree."""

    cleanup: WorkspaceCleanup = WorkspaceCleanup.ON_SUCCESS


class TtlSeconds(Model):
    """How long a finished AutopackRun object is kept, by outcome; forever when absent. Files are never part of it."""

    succeeded: Annotated[int | None, Field(ge=0, le=31_536_000, description="Seconds after a success.")] = None
    failed: Annotated[
        int | None, Field(ge=0, le=31_536_000, description="Seconds after any other end: failed, canceled, refused.")
    ] = None


ONE_WAY_TO_START = "set exactly one of command (what to execute) and agent (one that the RunProfile offers)"
ONE_PROMPT = "set at most one of prompt (the text) and promptFrom (where it is)"
AGENT_NEEDS_PROMPT = "an agent needs a prompt or promptFrom: what it is asked to do"
NOTHING_TO_FILL_IN = "{NAME} in agent is filled in by a RunBatch only; write the name itself"

_TEMPLATE_RULES: list[JsonValue] = [
    {"rule": "has(self.command) != has(self.agent)", "message": ONE_WAY_TO_START},
    {"rule": "!has(self.prompt) || !has(self.promptFrom)", "message": ONE_PROMPT},
]


class RunTemplate(Model):
    """The part of a run that a batch can share between its runs. Fixed once the object exists."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-validations": _TEMPLATE_RULES})

    list_map_keys: ClassVar[dict[str, str]] = {"env": "name"}

    source: Source
    command: Annotated[
        list[Argument] | None,
        Field(
            min_length=1,
            max_length=64,
            description="What to execute in the worktree, without a shell. Either this or agent is set.",
        ),
    ] = None
    args: Annotated[
        list[Argument], Field(max_length=256, description="Arguments, appended to the command, or to the agent's.")
    ] = []
    agent: AgentChoice | None = None
    prompt: Prompt | None = None
    prompt_from: PromptFrom | None = None
    env: Annotated[
        list[EnvVar], Field(max_length=MAX_ENV, description="Environment of the command. Names that Autopack sets win.")
    ] = []
    image: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=512,
            description="Image of the run, which the profile must allow; the profile's default image when absent.",
        ),
    ] = None
    profile_ref: ProfileRef = ProfileRef()
    database_mode: DatabaseMode = DatabaseMode.NONE
    timeout_seconds: Annotated[
        int, Field(ge=1, le=604_800, description="The attempt is stopped after this many seconds.")
    ] = 3600
    idle_timeout_seconds: Annotated[
        int | None,
        Field(
            ge=10,
            le=604_800,
            description="The attempt is stopped after so many seconds without output, work or changed files.",
        ),
    ] = None
    active_deadline_seconds: Annotated[
        int | None,
        Field(
            ge=1,
            le=2_592_000,
            description="The run fails this many seconds after its first attempt started, whatever retries are left.",
        ),
    ] = None
    termination_grace_period_seconds: Annotated[
        int,
        Field(ge=0, le=3600, description="Seconds between SIGTERM and SIGKILL for a command that has to stop."),
    ] = 60
    retry: Retry = Retry()
    workspace: Workspace = Workspace()
    prepare_timeout_seconds: Annotated[
        int,
        Field(
            ge=1,
            le=604_800,
            description="The run fails when its repository or its prompt cannot be had for so many seconds.",
        ),
    ] = 1800
    deliver: Deliver | None = None
    budget: Annotated[
        Budget | None,
        Field(
            description="What all attempts of the run together may use of models through the gateway. When it is "
            "spent, the run is stopped, its work saved, and it waits until this is raised."
        ),
    ] = None

    @model_validator(mode="after")
    def _can_start(self) -> Self:
        if (self.command is None) == (self.agent is None):
            raise ValueError(ONE_WAY_TO_START)
        if self.prompt is not None and self.prompt_from is not None:
            raise ValueError(ONE_PROMPT)
        return self

    @property
    def has_prompt(self) -> bool:
        """Whether there is a prompt, wherever it is."""
        return self.prompt is not None or self.prompt_from is not None


_FIXED = (
    "source",
    "command",
    "args",
    "agent",
    "prompt",
    "promptFrom",
    "env",
    "image",
    "profileRef",
    "databaseMode",
    "timeoutSeconds",
    "idleTimeoutSeconds",
    "activeDeadlineSeconds",
    "terminationGracePeriodSeconds",
    "retry",
    "workspace",
    "prepareTimeoutSeconds",
)


def _immutable(field: str) -> JsonValue:
    return {
        "rule": f"has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || self.{field} == oldSelf.{field})",
        "message": f"spec.{field} cannot be changed once the run exists; delete the run and create it again",
    }


class AutopackRunSpec(RunTemplate):
    """What the user asks for."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                *_TEMPLATE_RULES,
                {
                    "rule": "!has(self.agent) || has(self.prompt) || has(self.promptFrom)",
                    "message": AGENT_NEEDS_PROMPT,
                },
                {
                    "rule": "!has(self.agent) || !(self.agent.name + (has(self.agent.model) ? self.agent.model : ''))"
                    ".contains('{')",
                    "message": NOTHING_TO_FILL_IN,
                },
                {
                    "rule": "!has(self.deliver) || !has(self.deliver.branch) || !self.deliver.branch.contains('{')",
                    "message": PLACEHOLDER_IN_BRANCH,
                },
                *map(_immutable, _FIXED),
                {"rule": "!oldSelf.cancel || self.cancel", "message": "spec.cancel cannot be taken back"},
            ]
        }
    )

    suspend: Annotated[bool, Field(description="Do not start (or stop, keeping the work) until this is false.")] = False
    cancel: Annotated[bool, Field(description="Stop for good; the work so far is kept.")] = False
    ttl_seconds_after_finished: TtlSeconds = TtlSeconds()
    approval: Annotated[
        Approval | None, Field(description="Set by `kubectl autopack approve` and `reject`, never by a run's author.")
    ] = None

    @model_validator(mode="after")
    def _branch_is_whole(self) -> Self:
        if self.deliver is not None and "{" in (self.deliver.branch or ""):
            raise ValueError(PLACEHOLDER_IN_BRANCH)
        return self

    @model_validator(mode="after")
    def _agent_can_start(self) -> Self:
        if self.agent is None:
            return self
        if not self.has_prompt:
            raise ValueError(AGENT_NEEDS_PROMPT)
        if "{" in self.agent.name or "{" in (self.agent.model or ""):
            raise ValueError(NOTHING_TO_FILL_IN)
        return self
