"""Where a run's pod may go."""

from __future__ import annotations

from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.pod.settings import PodSettings


def placement(profile: RunProfileSpec, settings: PodSettings) -> JsonDict:
    """Return the fields of the pod's spec that a scheduler or a kubelet chooses by."""
    fields: JsonDict = {}
    if profile.runtime_class_name is not None:
        fields["runtimeClassName"] = profile.runtime_class_name
    if settings.read_write_once:
        # A ReadWriteOnce volume is one node's: every run goes where the volume service is.
        term = {"labelSelector": {"matchLabels": settings.volume_labels}, "topologyKey": "kubernetes.io/hostname"}
        fields["affinity"] = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    return fields
