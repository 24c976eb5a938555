"""RunBatch: many runs, so many at a time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import ConfigDict, Field, model_validator

from autopack_operator.domain.api import asking, delivering
from autopack_operator.domain.api.agents import AgentDifference, Prompt, PromptFrom
from autopack_operator.domain.api.budgets import Budget
from autopack_operator.domain.api.common import DNS_LABEL, ENV_NAME, MAX_ENV, Argument, EnvVar, Model
from autopack_operator.domain.api.deliver import ONE_BRANCH_EACH
from autopack_operator.domain.api.git_names import Branch, Ref
from autopack_operator.domain.api.placeholders import filled
from autopack_operator.domain.api.run import AGENT_NEEDS_PROMPT, ONE_PROMPT, AutopackRunSpec, RunTemplate, TtlSeconds

MAX_RUNS = 5000
MAX_WORKERS = 1000
MAX_AXES = 4
MAX_VALUES = 256

COMBINATIONS = " * ".join(
    f"(size({{matrix}}) > {axis} ? size({{matrix}}[{axis}].values) : 1)" for axis in range(MAX_AXES)
)
"""How many combinations a matrix has, in CEL, which has no loop that multiplies."""


_HAS_PROMPT = "has({of}.prompt) || has({of}.promptFrom)"
NO_AGENT_WITH_COMMAND = "set at most one of command and agent, which replace the template's"


class BatchItem(Model):
    """One run of a batch: an id, and what differs from the template."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                {"rule": "!has(self.command) || !has(self.agent)", "message": NO_AGENT_WITH_COMMAND},
                {"rule": "!has(self.prompt) || !has(self.promptFrom)", "message": ONE_PROMPT},
            ]
        }
    )

    list_map_keys: ClassVar[dict[str, str]] = {"env": "name"}

    id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=63,
            pattern=DNS_LABEL,
            description="Unique in the batch; the AutopackRun is named <batch>-<id>.",
        ),
    ]
    ref: Annotated[Ref | None, Field(description="Replaces the template's source.ref.")] = None
    branch: Annotated[Branch | None, Field(description="Replaces the template's source.branch.")] = None
    command: Annotated[
        list[Argument] | None, Field(min_length=1, max_length=64, description="Replaces the template's command.")
    ] = None
    args: Annotated[list[Argument] | None, Field(max_length=256, description="Replaces the template's args.")] = None
    env: Annotated[list[EnvVar], Field(max_length=MAX_ENV, description="Added to the template's; same name wins.")] = []
    agent: Annotated[
        AgentDifference | None,
        Field(description="With a name, replaces the template's agent or command; else only the agent's model."),
    ] = None
    prompt: Prompt | None = None
    prompt_from: PromptFrom | None = None

    @model_validator(mode="after")
    def _is_one_run(self) -> Self:
        if self.command is not None and self.agent is not None:
            raise ValueError(NO_AGENT_WITH_COMMAND)
        if self.prompt is not None and self.prompt_from is not None:
            raise ValueError(ONE_PROMPT)
        return self

    @property
    def has_prompt(self) -> bool:
        """Whether it has a prompt of its own."""
        return self.prompt is not None or self.prompt_from is not None

    @property
    def variables(self) -> asking.Variables:
        """What is filled in for {NAME}."""
        return {var.name: var.value for var in self.env}


class Axis(Model):
    """One dimension of a matrix: a variable of the runs' environment, and the values that it takes."""

    name: Annotated[str, Field(min_length=1, max_length=128, pattern=ENV_NAME, description="Name of the variable.")]
    values: Annotated[
        list[Annotated[str, Field(max_length=256)]],
        Field(
            min_length=1,
            max_length=MAX_VALUES,
            json_schema_extra={"x-kubernetes-list-type": "set"},
            description="Its values, each of them once.",
        ),
    ]


class OnExceeded(StrEnum):
    """What happens to the runs under way once a batch has failed."""

    DRAIN = "Drain"
    CANCEL = "Cancel"


class FailurePolicy(Model):
    """When a batch gives up. Absent: never, all runs are tried."""

    max_failed: Annotated[
        int | None, Field(ge=0, le=MAX_RUNS, description="The batch gives up when more runs than this have failed.")
    ] = None
    stop_on: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=128)]],
        Field(max_length=32, description="The batch gives up when one run fails with one of these reasons."),
    ] = []
    action: Annotated[
        OnExceeded, Field(description="Drain: no new runs start; runs under way continue. Cancel: they stop as well.")
    ] = OnExceeded.DRAIN


class SuccessPolicy(Model):
    """When a batch has what it wants before all of its runs are finished."""

    succeeded_count: Annotated[
        int,
        Field(
            ge=1, le=MAX_RUNS, description="The batch succeeds with this many succeeded runs; the others are canceled."
        ),
    ]


class RunBatchSpec(Model):
    """What the user asks for."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                {
                    "rule": "(size(self.runs) > 0) != (size(self.matrix) > 0)",
                    "message": "set exactly one of spec.runs (a list) and spec.matrix (every combination of values)",
                },
                {
                    "rule": "!has(self.successPolicy) || self.successPolicy.succeededCount <= "
                    f"(size(self.runs) > 0 ? size(self.runs) : {COMBINATIONS.format(matrix='self.matrix')})",
                    "message": "spec.successPolicy.succeededCount is more than the batch has runs",
                },
                {
                    "rule": f"{_HAS_PROMPT.format(of='self.template')} || (size(self.matrix) > 0 ? "
                    "!has(self.template.agent) : self.runs.all(r, has(r.command) || "
                    f"!(has(r.agent) || has(self.template.agent)) || {_HAS_PROMPT.format(of='r')}))",
                    "message": f"{AGENT_NEEDS_PROMPT} (in spec.template, or in each of spec.runs)",
                },
                {
                    "rule": "!has(self.template.deliver) || !has(self.template.deliver.branch) || "
                    "self.template.deliver.branch.contains('{') || (size(self.matrix) == 0 && size(self.runs) == 1)",
                    "message": ONE_BRANCH_EACH,
                },
                {
                    "rule": f"self.runs.map(r, has(r.prompt) ? size(r.prompt) : 0).sum() <= {asking.MAX_PROMPTS}",
                    "message": "the prompts of spec.runs are more than 1 MiB together: use more batches, or promptFrom",
                },
            ]
        }
    )

    list_map_keys: ClassVar[dict[str, str]] = {"runs": "id", "matrix": "name"}

    template: RunTemplate
    runs: Annotated[
        list[BatchItem], Field(max_length=MAX_RUNS, description="The runs, one by one. Either this or matrix is set.")
    ] = []
    matrix: Annotated[
        list[Axis],
        Field(
            max_length=MAX_AXES,
            json_schema_extra={
                "x-kubernetes-validations": [
                    {
                        "rule": f"{COMBINATIONS.format(matrix='self')} <= {MAX_RUNS}",
                        "message": f"the axes have more than {MAX_RUNS} combinations; use fewer values or more batches",
                    }
                ]
            },
            description="One run for every combination of the axes' values, the last axis changing fastest; its id is "
            f"made of the values. {MAX_RUNS} combinations at most.",
        ),
    ] = []
    workers: Annotated[
        int,
        Field(
            ge=1,
            le=MAX_WORKERS,
            description="At most this many runs at once; the anchor's max_concurrent_runs may lower it.",
        ),
    ] = 3
    start_interval_seconds: Annotated[
        int, Field(ge=0, le=3600, description="Least time between the starts of two runs.")
    ] = 0
    start_jitter_seconds: Annotated[
        int, Field(ge=0, le=3600, description="Up to this much is added to that time, at random.")
    ] = 0
    failure_policy: FailurePolicy = FailurePolicy()
    success_policy: SuccessPolicy | None = None
    active_deadline_seconds: Annotated[
        int | None,
        Field(
            ge=1,
            le=2_592_000,
            description="The batch fails, and its runs are canceled, this many seconds after its start.",
        ),
    ] = None
    priority: Annotated[
        int,
        Field(
            ge=-1000,
            le=1000,
            description="Batches with a higher one start their runs first where the profile's maxConcurrentRuns is "
            "reached; equals take turns.",
        ),
    ] = 0
    ttl_seconds_after_finished: Annotated[
        TtlSeconds, Field(description="How long the finished batch is kept, and its runs with it.")
    ] = TtlSeconds()
    budget: Annotated[
        Budget | None,
        Field(
            description="What all runs of the batch together may use of models through the gateway. When it is spent, "
            "they are stopped, their work saved, and they wait until this is raised."
        ),
    ] = None
    suspend: Annotated[bool, Field(description="Start no new runs; runs under way continue.")] = False
    cancel: Annotated[bool, Field(description="Cancel all runs of the batch, started or not.")] = False

    @model_validator(mode="after")
    def _runs_are_possible(self) -> Self:
        """Each list has its own bound; together they may still be more than a run can have."""
        common = {var.name for var in self.template.env}
        for item in self.runs:
            if len(common.union(var.name for var in item.env)) > MAX_ENV:
                raise ValueError(f"run {item.id!r} and the template have more than {MAX_ENV} variables together")
        if len(common.union(axis.name for axis in self.matrix)) > MAX_ENV:
            raise ValueError(f"the axes of spec.matrix and the template have more than {MAX_ENV} variables together")
        if (combinations := math.prod(len(axis.values) for axis in self.matrix)) > MAX_RUNS:
            raise ValueError(f"spec.matrix has {combinations} combinations; {MAX_RUNS} are the most that are possible")
        return self

    @model_validator(mode="after")
    def _each_run_can_be_asked(self) -> Self:
        """Whatever is filled in: none of the runs may turn out to be impossible when its turn comes."""
        if self.template.agent is not None or any(item.agent is not None for item in self.runs):
            for item, variables in self._each():
                self._check_agent(item, variables)
        own = [item.prompt for item in self.runs if item.prompt is not None]
        sharing = (variables for item, variables in self._each() if item is None or not item.has_prompt)
        asking.check_sizes(self.template.prompt, own, sharing)
        return self

    @model_validator(mode="after")
    def _each_run_has_its_branch(self) -> Self:
        if (deliver := self.template.deliver) is not None:
            delivering.check_each(deliver, ((item, variables) for item, variables in self._each()))
        return self

    def _each(self) -> Iterator[tuple[BatchItem | None, asking.Variables]]:
        """Every run: its item (None for one of the matrix) and its variables."""
        if not self.matrix:
            yield from ((item, item.variables) for item in self.runs)
            return
        names = [axis.name for axis in self.matrix]
        for values in itertools.product(*(axis.values for axis in self.matrix)):
            yield None, dict(zip(names, values, strict=True))

    def _check_agent(self, item: BatchItem | None, variables: asking.Variables) -> None:
        where = f"spec.runs {item.id!r}" if item is not None else "spec.template"
        if item is not None and item.command is not None:
            return
        try:
            agent = asking.agent_of(self.template.agent, item.agent if item is not None else None, variables)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
        if agent is not None and not self.template.has_prompt and (item is None or not item.has_prompt):
            raise ValueError(f"{where}: {AGENT_NEEDS_PROMPT}")


def child_spec(batch: RunBatchSpec, item: BatchItem) -> AutopackRunSpec:
    """The spec of the AutopackRun for one item: the template with the item's differences laid over it, and what stands
    as {NAME} in its agent and its prompt filled in. A prompt of the item's own is taken as it is.
    """
    template = batch.template
    env = {var.name: var for var in template.env} | {var.name: var for var in item.env}
    source = template.source.model_copy(
        update={k: v for k, v in (("ref", item.ref), ("branch", item.branch)) if v is not None}
    )
    fields = {name: getattr(template, name) for name in RunTemplate.model_fields}
    fields |= {"source": source, "env": list(env.values())}
    if item.args is not None:
        fields["args"] = item.args
    if item.command is not None:
        fields |= {"command": item.command, "agent": None}
    elif (agent := asking.agent_of(template.agent, item.agent, item.variables)) is not None:
        fields |= {"command": None, "agent": agent}
    if item.has_prompt:
        fields |= {"prompt": item.prompt, "prompt_from": item.prompt_from}
    elif template.prompt is not None:
        fields["prompt"] = filled(template.prompt, item.variables)
    if template.deliver is not None:
        fields["deliver"] = delivering.deliver_of(template.deliver, item.variables)
    return AutopackRunSpec(**fields)
