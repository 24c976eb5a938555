"""Who owns what is made for a run."""

from __future__ import annotations

from autopack_operator.domain.api.common import API_VERSION, JsonDict
from autopack_operator.domain.views import RunView


def owner_reference(run: RunView) -> JsonDict:
    """Makes the run the controller of what it needs, so that the garbage collector follows the run."""
    return {
        "apiVersion": API_VERSION,
        "kind": "AutopackRun",
        "name": run.name,
        "uid": run.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }
