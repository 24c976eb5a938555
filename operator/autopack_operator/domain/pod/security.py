"""The security contexts of a run's pod, which satisfy the Pod Security Standard `restricted`."""

from __future__ import annotations

from autopack_operator.domain.api.common import JsonDict

UID = 65532
"""One fixed user and group for everything on the volume: fsGroup does nothing on most network file systems."""


def of_pod() -> JsonDict:
    """What holds for all containers."""
    return {
        "runAsNonRoot": True,
        "runAsUser": UID,
        "runAsGroup": UID,
        "fsGroup": UID,
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
