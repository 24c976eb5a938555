"""The CustomResourceDefinitions: names, columns and cross-field rules around the generated schemas."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from autopack_operator.domain.api.batch import RunBatchSpec
from autopack_operator.domain.api.common import GROUP, VERSION, JsonDict
from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.api.status import AutopackRunStatus, RunBatchStatus
from autopack_operator.domain.schema import structural_schema


@dataclass(frozen=True)
class Column:
    """One printer column of `kubectl get`. `wide` ones show with -o wide only."""

    name: str
    path: str
    type: str = "string"
    wide: bool = False

    def render(self) -> JsonDict:
        """As additionalPrinterColumns has it."""
        return {"name": self.name, "type": self.type, "jsonPath": self.path} | ({"priority": 1} if self.wide else {})


@dataclass(frozen=True)
class Resource:
    """What differs between our three kinds."""

    kind: str
    plural: str
    short: str
    description: str
    spec: type[BaseModel]
    status: type[BaseModel] | None
    columns: tuple[Column, ...]
    rules: tuple[tuple[str, str], ...] = ()


_AGE = Column("Age", ".metadata.creationTimestamp", "date")

RESOURCES = (
    Resource(
        kind="AutopackRun",
        plural="autopackruns",
        short="apr",
        description="One autonomous run in its own git worktree and its own pod.",
        spec=AutopackRunSpec,
        status=AutopackRunStatus,
        columns=(
            Column("Phase", ".status.phase"),
            Column("Reason", ".status.reason"),
            Column("Attempt", ".status.attempt", "integer"),
            Column("Batch", r".metadata.labels.autopack\.dev/batch"),
            Column("Duration", ".status.duration"),
            _AGE,
            Column("Agent", ".spec.agent.name", wide=True),
            Column("Model", ".spec.agent.model", wide=True),
            Column("Branch", ".status.branch", wide=True),
            Column("Commit", ".status.commit", wide=True),
            Column("Tokens", ".status.usage.totalTokens", "integer", wide=True),
            Column("Cost", ".status.usage.costUSD", wide=True),
            Column("Budget", ".spec.budget.usd", wide=True),
            Column("Saved", '.status.conditions[?(@.type=="WorkSaved")].reason', wide=True),
            Column("Delivery", ".status.delivery.state", wide=True),
            Column("Pull Request", ".status.delivery.pullRequest.url", wide=True),
            Column("Pod", ".status.podName", wide=True),
            Column("Message", ".status.message", wide=True),
            Column("Summary", ".status.summary", wide=True),
        ),
        rules=(("self.metadata.name != 'workspaces'", "workspaces is a folder of the volume; choose another name"),),
    ),
    Resource(
        kind="RunBatch",
        plural="runbatches",
        short="rb",
        description="Many AutopackRuns, a limited number at a time.",
        spec=RunBatchSpec,
        status=RunBatchStatus,
        columns=(
            Column("Phase", ".status.phase"),
            Column("Reason", ".status.reason"),
            Column("Finished", ".status.progress"),
            Column("Active", ".status.active", "integer"),
            Column("Succeeded", ".status.succeeded", "integer"),
            Column("Failed", ".status.failed", "integer"),
            Column("Workers", ".status.effectiveWorkers", "integer"),
            Column("Duration", ".status.duration"),
            _AGE,
            Column("Tokens", ".status.usage.totalTokens", "integer", wide=True),
            Column("Cost", ".status.usage.costUSD", wide=True),
            Column("Delivered", ".status.delivery.delivered", "integer", wide=True),
            Column("Budget", ".spec.budget.usd", wide=True),
            Column("Message", ".status.message", wide=True),
        ),
        rules=(
            (
                "self.metadata.name.size() <= 63",
                "metadata.name of a RunBatch can have 63 characters at most; it is a label of its runs",
            ),
            ("self.spec.runs == oldSelf.spec.runs", "spec.runs cannot be changed; create another RunBatch"),
            ("self.spec.matrix == oldSelf.spec.matrix", "spec.matrix cannot be changed; create another RunBatch"),
            (
                "self.spec.template == oldSelf.spec.template",
                "spec.template cannot be changed; create another RunBatch",
            ),
            ("!oldSelf.spec.cancel || self.spec.cancel", "spec.cancel cannot be taken back"),
        ),
    ),
    Resource(
        kind="RunProfile",
        plural="runprofiles",
        short="rp",
        description="What an administrator allows runs to use.",
        spec=RunProfileSpec,
        status=None,
        columns=(Column("Image", ".spec.defaultImage"), _AGE),
    ),
)


def crd(resource: Resource) -> JsonDict:
    """The whole CustomResourceDefinition object for one of RESOURCES."""
    properties: JsonDict = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        "spec": structural_schema(resource.spec),
    }
    if resource.status is not None:
        properties["status"] = structural_schema(resource.status)
        properties["status"].pop("default", None)
    schema: JsonDict = {
        "type": "object",
        "description": resource.description,
        "required": ["spec"],
        "properties": properties,
    }
    if resource.rules:
        schema["x-kubernetes-validations"] = [{"rule": rule, "message": text} for rule, text in resource.rules]
    version: JsonDict = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [column.render() for column in resource.columns],
        "schema": {"openAPIV3Schema": schema},
    }
    if resource.status is not None:
        version["subresources"] = {"status": {}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{resource.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": resource.kind,
                "listKind": f"{resource.kind}List",
                "plural": resource.plural,
                "singular": resource.kind.lower(),
                "shortNames": [resource.short],
                "categories": ["autopack"],
            },
            "versions": [version],
        },
    }
