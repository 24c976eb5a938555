"""Types and names that several resources share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from autopack_operator.domain.api.git_names import Address, Branch, Ref

GROUP = "autopack.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

ANCHOR_ANNOTATION = f"{GROUP}/intention-anchor"
BATCH_LABEL = f"{GROUP}/batch"
BATCH_INDEX_ANNOTATION = f"{GROUP}/batch-index"
RETRY_OF_ANNOTATION = f"{GROUP}/retry-of"
PROMPT_LABEL = f"{GROUP}/prompt"
"""On a ConfigMap, with the value "true": runs may be given what is in it."""
RUN_LABEL = f"{GROUP}/run"
RUN_UID_LABEL = f"{GROUP}/run-uid"
ATTEMPT_LABEL = f"{GROUP}/attempt"
MANAGED_BY = {"app.kubernetes.io/managed-by": "autopack-operator"}
MANAGED = "app.kubernetes.io/managed-by=autopack-operator"
"""Selects what has that label: all that the operator makes."""
RUN_POD_LABELS = MANAGED_BY | {"app.kubernetes.io/component": "run"}
"""What the pods of all runs have in common."""
WORKSPACE_ANNOTATION = f"{GROUP}/workspace"
"""On a run's Lease: the volume and the folder in it that is held along with the run."""

DNS_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
ENV_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"

MAX_ENV = 100

Argument = Annotated[str, Field(max_length=4096)]


class Model(BaseModel):
    """Base of everything under spec: camelCase on the wire, unknown fields refused, immutable in memory."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    list_map_keys: ClassVar[dict[str, str]] = {}
    """field name -> key: rendered as `x-kubernetes-list-type: map`, so that the API server refuses doubles."""


class EnvVar(Model):
    """One environment variable of a run. Secrets do not belong here: a RunProfile binds those."""

    name: Annotated[str, Field(min_length=1, max_length=128, pattern=ENV_NAME, description="Name of the variable.")]
    value: Annotated[str, Field(max_length=8192, description="Its value, passed on as it is.")] = ""


class Incomplete(StrEnum):
    """What becomes of a run whose worktree would lack a part of the repository."""

    REFUSE = "Refuse"
    ALLOW = "Allow"


class Source(Model):
    """Where a run's code comes from: a remote repository, or one that was imported onto the volume."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                {
                    "rule": "has(self.url) != has(self.repository)",
                    "message": "set exactly one of url (a remote repository) and repository (a name on the volume)",
                },
            ]
        }
    )

    url: Annotated[
        Address | None,
        Field(description="Address of the repository, as https://…, ssh://… or git@host:path, without a password."),
    ] = None
    repository: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=63,
            pattern=DNS_LABEL,
            description="Name of a repository on the volume (see autopack-runtime import-repository).",
        ),
    ] = None
    ref: Annotated[Ref, Field(description="Branch, tag or commit to start from.")] = "HEAD"
    branch: Annotated[
        Branch | None, Field(description="Branch that the run works on; autopack/<run name> when absent.")
    ] = None
    incomplete: Annotated[
        Incomplete,
        Field(
            description="What becomes of a run at a commit with submodules or Git LFS files, which worktrees lack. "
            "Refuse: it fails before a pod starts. Allow: it gets empty folders and pointer files."
        ),
    ] = Incomplete.REFUSE


class ProfileRef(Model):
    """The RunProfile, in the same namespace, whose limits and images apply."""

    name: Annotated[
        str, Field(min_length=1, max_length=63, pattern=DNS_LABEL, description="Name of the RunProfile.")
    ] = "default"


JsonDict = dict[str, Any]
