"""The security contexts of a run's pod, which satisfy the Pod Security Standard `restricted`."""

from __future__ import annotations

from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.pod.settings import PodSettings


def of_pod(settings: PodSettings) -> JsonDict:
    """What holds for all containers.

    One user and group for everything on the volume, also the volume service's: fsGroup does nothing on most network
    file systems.
    """
    return {
        "runAsNonRoot": True,
        "runAsUser": settings.run_as_user,
        "runAsGroup": settings.run_as_group,
        "fsGroup": settings.run_as_group,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def of_container() -> JsonDict:
    """What can be said of a container only."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
