"""Who owns what is made for a run, or for a batch."""

from __future__ import annotations

from autopack_operator.domain.api.common import API_VERSION, JsonDict
from autopack_operator.domain.views import BatchView, RunView


def owner_reference(owner: RunView | BatchView) -> JsonDict:
    """Makes it the controller of what it needs, so that the garbage collector follows it."""
    return {
        "apiVersion": API_VERSION,
        "kind": owner.kind,
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }
