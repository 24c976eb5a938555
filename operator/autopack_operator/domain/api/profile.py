"""RunProfile: what an administrator allows runs to use."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from autopack_operator.domain.api.agents import Agent
from autopack_operator.domain.api.bindings import BoundEnv, ValueFrom
from autopack_operator.domain.api.budgets import ProfileBudget, Provider
from autopack_operator.domain.api.common import MAX_ENV, Model
from autopack_operator.domain.api.deliver import DeliveryPolicy
from autopack_operator.domain.api.mounted import BoundFile, Scratch
from autopack_operator.domain.api.quantities import HelperResources, Quantity, Resources
from autopack_operator.domain.api.scheduling import (
    Affinity,
    LabelKey,
    Labels,
    LabelValue,
    Toleration,
    TopologySpreadConstraint,
)

_OURS = (
    "{k}.startsWith('autopack.dev/') || "
    "{k} in ['app.kubernetes.io/managed-by', 'app.kubernetes.io/component', 'kueue.x-k8s.io/queue-name']"
)


class Database(Model):
    """The database of runs with databaseMode Postgres: a key of a Secret in the namespace that holds its URL. The
    operator never reads it; the kubelet does.
    """

    secret_name: Annotated[str, Field(min_length=1, max_length=253, description="Name of the Secret.")]
    key: Annotated[
        str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$", description="Key in the Secret.")
    ] = "url"


class RunProfileSpec(Model):
    """Limits that authors of runs cannot lift, and what their runs are given."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                {
                    "rule": "self.files.all(f, self.scratch.all(s, "
                    "f.path != s.path && !s.path.startsWith(f.path + '/')))",
                    "message": "a path of spec.scratch is, or is below, the path of one of spec.files; "
                    "choose another path",
                },
                {
                    "rule": "self.files.all(f, self.files.all(g, !g.path.startsWith(f.path + '/')))",
                    "message": "a path of spec.files is below the path of another; choose another path",
                },
            ]
        }
    )

    list_map_keys: ClassVar[dict[str, str]] = {
        "env": "name",
        "files": "path",
        "scratch": "path",
        "agents": "name",
        "providers": "name",
    }

    default_image: Annotated[str, Field(min_length=1, max_length=512, description="Image of runs that name none.")]
    allowed_images: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=512)]],
        Field(max_length=100, description="Shell-style patterns (*, ?); the default image is always allowed."),
    ] = []
    image_pull_policy: Annotated[
        str, Field(pattern=r"^(Always|IfNotPresent|Never)$", description="When kubelets pull a run's image.")
    ] = "IfNotPresent"
    resources: Resources = Resources()
    helper_resources: HelperResources = HelperResources()
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
    env: Annotated[
        list[BoundEnv],
        Field(max_length=MAX_ENV, description="Variables of the runs' commands. A run's own win over these."),
    ] = []
    files: Annotated[
        list[BoundFile],
        Field(max_length=32, description="Files that the commands find at a path, read-only: settings of agents, say."),
    ] = []
    ca_bundle: Annotated[
        ValueFrom | None,
        Field(
            description="Certificates (PEM) that git, curl, Node, Python and what uses OpenSSL trust in a run. Most of "
            "them trust these instead of their own: include the public ones that are needed."
        ),
    ] = None
    scratch: Annotated[
        list[Scratch], Field(max_length=16, description="Empty folders for a run's caches and temporary files.")
    ] = []
    node_selector: Annotated[Labels, Field(max_length=32, description="Labels that a node must have.")] = {}
    tolerations: Annotated[list[Toleration], Field(max_length=32, description="Taints that runs put up with.")] = []
    affinity: Affinity | None = None
    topology_spread_constraints: Annotated[
        list[TopologySpreadConstraint],
        Field(max_length=8, description="How evenly runs are spread over nodes, zones and so on."),
    ] = []
    priority_class_name: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=253,
            json_schema_extra={
                "x-kubernetes-validations": [
                    {
                        "rule": "!self.startsWith('system-')",
                        "message": "the system's own classes would let runs evict what the cluster needs; make a "
                        "PriorityClass for runs",
                    }
                ]
            },
            description="PriorityClass of the pods.",
        ),
    ] = None
    pod_labels: Annotated[
        dict[LabelKey, LabelValue],
        Field(
            max_length=32,
            json_schema_extra={
                "x-kubernetes-validations": [
                    {
                        "rule": f"self.all(k, !({_OURS.format(k='k')}))",
                        "message": "labels of autopack.dev/, app.kubernetes.io/managed-by and component, and "
                        "kueue.x-k8s.io/queue-name are set by Autopack; a queue is named by a label of the run",
                    }
                ]
            },
            description="More labels of the pods.",
        ),
    ] = {}
    pod_annotations: Annotated[
        dict[LabelKey, Annotated[str, Field(max_length=4096)]],
        Field(
            max_length=32,
            json_schema_extra={
                "x-kubernetes-validations": [
                    {
                        "rule": "self.all(k, !k.startsWith('autopack.dev/') && "
                        "k != 'kubectl.kubernetes.io/default-container')",
                        "message": "annotations of autopack.dev/ and kubectl.kubernetes.io/default-container are set "
                        "by Autopack; leave them out",
                    }
                ]
            },
            description="More annotations of the pods, karpenter.sh/do-not-disrupt for example.",
        ),
    ] = {}
    agents: Annotated[
        list[Agent], Field(max_length=32, description="Agents that runs may name in spec.agent, with what they need.")
    ] = []
    deliver: Annotated[
        DeliveryPolicy | None, Field(description="What runs may deliver; absent: they may not have spec.deliver.")
    ] = None
    providers: Annotated[
        list[Provider],
        Field(
            max_length=16,
            description="Providers of models that runs reach through the installation's gateway, without a key.",
        ),
    ] = []
    budget: ProfileBudget | None = None
