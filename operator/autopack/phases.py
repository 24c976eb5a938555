"""Phases by name: of runs and batches, in the words of the custom resources, and of pods, in those of Kubernetes."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """Where a run or a batch is in its life."""

    PENDING = "Pending"
    PREPARING = "Preparing"
    RUNNING = "Running"
    FINISHING = "Finishing"
    SUSPENDED = "Suspended"
    REFUSED = "Refused"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"


TERMINAL_PHASES = (Phase.SUCCEEDED, Phase.FAILED, Phase.REFUSED, Phase.CANCELED)
"""These never change."""


class PodPhase(StrEnum):
    """Where a pod is in its life. `Unknown` is missing: silence about a pod proves nothing."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
