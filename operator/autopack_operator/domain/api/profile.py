"""RunProfile: what an administrator allows runs to use."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from autopack_operator.domain.api.common import Model

Quantity = Annotated[str, Field(max_length=32, pattern=r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$")]
ResourceName = Annotated[str, Field(max_length=128)]


class Resources(Model):
    """Requests and limits of the run container, as Kubernetes quantities."""

    requests: Annotated[dict[ResourceName, Quantity], Field(max_length=16, description="What a run is promised.")] = {}
    limits: Annotated[dict[ResourceName, Quantity], Field(max_length=16, description="What a run cannot exceed.")] = {}


class Database(Model):
    """The database of runs with databaseMode Postgres: a key of a Secret in the namespace that holds its URL. The
    operator never reads it; the kubelet does.
    """

    secret_name: Annotated[str, Field(min_length=1, max_length=253, description="Name of the Secret.")]
    key: Annotated[
        str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$", description="Key in the Secret.")
    ] = "url"


class RunProfileSpec(Model):
    """Limits that authors of runs cannot lift."""

    default_image: Annotated[str, Field(min_length=1, max_length=512, description="Image of runs that name none.")]
    allowed_images: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=512)]],
        Field(max_length=100, description="Shell-style patterns (*, ?); the default image is always allowed."),
    ] = []
    image_pull_policy: Annotated[
        str, Field(pattern=r"^(Always|IfNotPresent|Never)$", description="When kubelets pull a run's image.")
    ] = "IfNotPresent"
    resources: Resources = Resources()
    runtime_class_name: Annotated[
        str | None,
        Field(min_length=1, max_length=63, description="RuntimeClass of the pods, gVisor or Kata for example."),
    ] = None
    max_timeout_seconds: Annotated[
        int | None, Field(ge=1, le=604_800, description="Longest timeoutSeconds that a run may ask for.")
    ] = None
    max_concurrent_runs: Annotated[
        int | None,
        Field(ge=1, le=100_000, description="Runs of this profile that may be under way at once in the namespace."),
    ] = None
    disk_quota: Annotated[
        Quantity | None,
        Field(description="A run whose worktree and artifacts together grow beyond this is stopped, its work saved."),
    ] = None
    database: Database | None = None
