"""RunBatch: many runs, so many at a time."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from autopack_operator.domain.api.common import DNS_LABEL, MAX_ENV, REF, Argument, EnvVar, Model
from autopack_operator.domain.api.run import AutopackRunSpec, RunTemplate

MAX_RUNS = 5000
MAX_WORKERS = 1000


class BatchItem(Model):
    """One run of a batch: an id, and what differs from the template."""

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
    ref: Annotated[str | None, Field(min_length=1, max_length=255, pattern=REF)] = None
    branch: Annotated[str | None, Field(min_length=1, max_length=200, pattern=REF)] = None
    command: Annotated[list[Argument] | None, Field(min_length=1, max_length=64)] = None
    args: Annotated[list[Argument] | None, Field(max_length=256)] = None
    env: Annotated[list[EnvVar], Field(max_length=MAX_ENV, description="Added to the template's; same name wins.")] = []


class RunBatchSpec(Model):
    """What the user asks for."""

    list_map_keys: ClassVar[dict[str, str]] = {"runs": "id"}

    template: RunTemplate
    runs: Annotated[list[BatchItem], Field(min_length=1, max_length=MAX_RUNS)]
    workers: Annotated[
        int,
        Field(
            ge=1,
            le=MAX_WORKERS,
            description="At most this many runs at once; the anchor's max_concurrent_runs bounds it further.",
        ),
    ] = 3
    suspend: Annotated[bool, Field(description="Start no further runs; those under way go on.")] = False
    cancel: Annotated[bool, Field(description="Cancel all runs of the batch, started or not.")] = False

    @model_validator(mode="after")
    def _runs_are_possible(self) -> Self:
        """Each list has its own bound; together they may still be more than a run can have."""
        common = {var.name for var in self.template.env}
        for item in self.runs:
            if len(common.union(var.name for var in item.env)) > MAX_ENV:
                raise ValueError(f"run {item.id!r} and the template have more than {MAX_ENV} variables together")
        return self


def child_spec(batch: RunBatchSpec, item: BatchItem) -> AutopackRunSpec:
    """The spec of the AutopackRun for one item: the template with the item's differences laid over it."""
    template = batch.template
    env = {var.name: var for var in template.env} | {var.name: var for var in item.env}
    source = template.source.model_copy(
        update={k: v for k, v in (("ref", item.ref), ("branch", item.branch)) if v is not None}
    )
    fields = {name: getattr(template, name) for name in RunTemplate.model_fields}
    fields |= {"source": source, "env": list(env.values())}
    fields |= {k: v for k, v in (("command", item.command), ("args", item.args)) if v is not None}
    return AutopackRunSpec(**fields)
