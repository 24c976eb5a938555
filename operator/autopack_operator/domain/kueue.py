"""Kueue's integration of plain pods: a pod with a queue's name is held by a scheduling gate until Kueue admits it.

Kueue's webhook adds label and gate by itself. They are set here as well, so that no pod slips past a webhook that is
away for a moment. Its finalizer is left to it: where there is no Kueue, nobody would ever take that off again.
"""

from __future__ import annotations

from collections.abc import Mapping

from autopack_operator.domain.api.common import JsonDict

QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
MANAGED_LABEL = "kueue.x-k8s.io/managed"
ADMISSION_GATE = "kueue.x-k8s.io/admission"


def queue_of(labelled: Mapping[str, str]) -> str:
    """The LocalQueue that the labels name; empty when none."""
    return labelled.get(QUEUE_LABEL, "")


def labels(queue: str) -> dict[str, str]:
    """Labels of a pod for that queue."""
    return {QUEUE_LABEL: queue, MANAGED_LABEL: "true"} if queue else {}


def gates(queue: str) -> JsonDict:
    """Fields of the spec of a pod for that queue."""
    return {"schedulingGates": [{"name": ADMISSION_GATE}]} if queue else {}
