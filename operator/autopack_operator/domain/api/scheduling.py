"""Where the pods of runs may go: the fields of a pod's spec, under Kubernetes' own names, that runs have a use for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from autopack_operator.domain.api.common import Model

LabelKey = Annotated[str, Field(min_length=1, max_length=317)]
LabelValue = Annotated[str, Field(max_length=63)]
Labels = dict[LabelKey, LabelValue]
TopologyKey = Annotated[LabelKey, Field(description="Label of nodes; nodes of one value are one place.")]
Weight = Annotated[int, Field(ge=1, le=100, description="How much it counts beside the others.")]


class Toleration(Model):
    """A taint of nodes that runs put up with."""

    key: Annotated[str | None, Field(max_length=317, description="Key of the taint; any when absent.")] = None
    operator: Annotated[
        str | None, Field(pattern="^(Equal|Exists)$", description="Equal (the default) compares the value as well.")
    ] = None
    value: Annotated[str | None, Field(max_length=63, description="Value of the taint.")] = None
    effect: Annotated[
        str | None,
        Field(pattern="^(NoSchedule|PreferNoSchedule|NoExecute)$", description="Effect of the taint; any when absent."),
    ] = None
    toleration_seconds: Annotated[
        int | None,
        Field(ge=0, le=604_800, description="How long a run stays with NoExecute; for good if absent."),
    ] = None


class LabelRequirement(Model):
    """A condition on one label of a pod."""

    key: Annotated[LabelKey, Field(description="Name of the label.")]
    operator: Annotated[
        str, Field(pattern="^(In|NotIn|Exists|DoesNotExist)$", description="In, NotIn, Exists or DoesNotExist.")
    ]
    values: Annotated[list[LabelValue], Field(max_length=32, description="Values for In and NotIn.")] = []


class LabelSelector(Model):
    """Pods by their labels; all conditions hold."""

    match_labels: Annotated[Labels, Field(max_length=16, description="Labels with these values.")] = {}
    match_expressions: Annotated[list[LabelRequirement], Field(max_length=16, description="More conditions.")] = []


class NodeRequirement(Model):
    """A condition on one label of a node."""

    key: Annotated[LabelKey, Field(description="Name of the label.")]
    operator: Annotated[
        str,
        Field(
            pattern="^(In|NotIn|Exists|DoesNotExist|Gt|Lt)$", description="In, NotIn, Exists, DoesNotExist, Gt or Lt."
        ),
    ]
    values: Annotated[list[LabelValue], Field(max_length=32, description="Values; one number for Gt and Lt.")] = []


class NodeTerm(Model):
    """Conditions on a node, all of which hold."""

    match_expressions: Annotated[list[NodeRequirement], Field(min_length=1, max_length=16, description="Conditions.")]


class NodeTerms(Model):
    """Nodes that meet one of the terms."""

    node_selector_terms: Annotated[list[NodeTerm], Field(min_length=1, max_length=16, description="Terms.")]


class PreferredNodes(Model):
    """Nodes that are preferred."""

    weight: Weight
    preference: NodeTerm


class NodeAffinity(Model):
    """Nodes that runs must or would rather have."""

    required_during_scheduling_ignored_during_execution: Annotated[
        NodeTerms | None, Field(description="Nodes that runs must have.")
    ] = None
    preferred_during_scheduling_ignored_during_execution: Annotated[
        list[PreferredNodes], Field(max_length=16, description="Nodes that runs would rather have.")
    ] = []


class PodTerm(Model):
    """Pods of the namespace, and how near counts as beside them."""

    label_selector: LabelSelector
    topology_key: TopologyKey


class PreferredPods(Model):
    """Pods that runs would rather be beside, or away from."""

    weight: Weight
    pod_affinity_term: PodTerm


class PodAffinity(Model):
    """Pods that runs must or would rather be beside (podAffinity), or away from (podAntiAffinity)."""

    required_during_scheduling_ignored_during_execution: Annotated[
        list[PodTerm], Field(max_length=16, description="What must hold.")
    ] = []
    preferred_during_scheduling_ignored_during_execution: Annotated[
        list[PreferredPods], Field(max_length=16, description="What is preferred.")
    ] = []


class Affinity(Model):
    """Nodes and pods that runs are drawn to, or kept away from."""

    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAffinity | None = None


class TopologySpreadConstraint(Model):
    """How evenly runs are spread over nodes, zones and so on."""

    max_skew: Annotated[int, Field(ge=1, le=1000, description="Runs that one place may have more than another.")] = 1
    topology_key: TopologyKey
    when_unsatisfiable: Annotated[
        str,
        Field(
            pattern="^(DoNotSchedule|ScheduleAnyway)$", description="DoNotSchedule: wait. ScheduleAnyway: a preference."
        ),
    ] = "ScheduleAnyway"
    label_selector: Annotated[
        LabelSelector | None, Field(description="Pods that are counted; all runs of the namespace when absent.")
    ] = None
