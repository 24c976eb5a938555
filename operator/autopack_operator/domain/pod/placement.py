"""Where a run's pod may go, and before whom."""

from __future__ import annotations

from typing import Any

from autopack_operator.domain.api.common import RUN_POD_LABELS, JsonDict, Model
from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.api.scheduling import LabelSelector, TopologySpreadConstraint
from autopack_operator.domain.pod.settings import PodSettings

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def placement(profile: RunProfileSpec, settings: PodSettings) -> JsonDict:
    """Return the fields of the pod's spec that a scheduler or a kubelet chooses by."""
    fields: dict[str, Any] = {
        "runtimeClassName": profile.runtime_class_name,
        "priorityClassName": profile.priority_class_name,
        "nodeSelector": profile.node_selector,
        "tolerations": [_dumped(toleration) for toleration in profile.tolerations],
        "affinity": _affinity(profile, settings),
        "topologySpreadConstraints": [_spread(constraint) for constraint in profile.topology_spread_constraints],
    }
    return {name: value for name, value in fields.items() if value}


def _affinity(profile: RunProfileSpec, settings: PodSettings) -> JsonDict:
    affinity = _dumped(profile.affinity) if profile.affinity is not None else {}
    if settings.read_write_once:
        # A ReadWriteOnce volume is one node's: every run goes where the volume service is.
        term = {"labelSelector": {"matchLabels": settings.volume_labels}, "topologyKey": "kubernetes.io/hostname"}
        near = affinity.setdefault("podAffinity", {})
        near[_REQUIRED] = [*near.get(_REQUIRED, []), term]
    return affinity


def _spread(constraint: TopologySpreadConstraint) -> JsonDict:
    pods = constraint.label_selector or LabelSelector(match_labels=RUN_POD_LABELS)
    return {
        "maxSkew": constraint.max_skew,
        "topologyKey": constraint.topology_key,
        "whenUnsatisfiable": constraint.when_unsatisfiable,
        "labelSelector": _dumped(pods),
    }


def _dumped(part: Model) -> JsonDict:
    return part.model_dump(by_alias=True, exclude_defaults=True)
