"""What is reconciled: one key per AutopackRun, RunBatch or RunProfile. Everything else maps to the key of its owner."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from autopack_operator.domain.views import PodView, RunView


class Kind(StrEnum):
    """Kinds that have a reconciler."""

    RUN = "AutopackRun"
    BATCH = "RunBatch"
    PROFILE = "RunProfile"


class Key(NamedTuple):
    """Entry of the work queue."""

    kind: Kind
    namespace: str
    name: str


def keys_for_run(run: RunView, deleted: bool = False) -> list[Key]:
    """A change of a run concerns itself; its batch too, when it appears or ends: a batch counts those, and has no use
    for the steps between.
    """
    counts = deleted or run.terminal or run.deleting or not run.status.phase
    return [Key(Kind.RUN, run.namespace, run.name), *(keys_for_batch_of(run) if counts else ())]


def keys_for_batch_of(run: RunView) -> list[Key]:
    """The batch that the run says it belongs to."""
    if run.owner is None or run.owner.kind != Kind.BATCH:
        return []
    return [Key(Kind.BATCH, run.namespace, run.owner.name)]


def keys_for_pod(pod: PodView) -> list[Key]:
    """A change of a pod concerns the run that controls it."""
    if pod.owner is None or pod.owner.kind != Kind.RUN:
        return []
    return [Key(Kind.RUN, pod.namespace, pod.owner.name)]
