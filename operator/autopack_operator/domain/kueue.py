"""Kueue's integration of plain pods: a pod with a queue's name is held by a scheduling gate until Kueue admits it.

Kueue's webhook adds label and gate by itself. They are set here as well, so that no pod slips past a webhook that is
away for a moment. Its finalizer is left to it: where there is no Kueue, nobody would ever take that off again.
"""

from __future__ import annotations

from collections.abc import Mapping

QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
MANAGED_LABEL = "kueue.x-k8s.io/managed"
ADMISSION_GATE = "kueue.x-k8s.io/admission"


def queue_of(labels: Mapping[str, str]) -> str:
    """The LocalQueue that the labels name; empty when none."""
    return labels.get(QUEUE_LABEL, "")
