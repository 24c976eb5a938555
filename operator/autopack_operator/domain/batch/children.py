"""Manifests of a batch's runs."""

from __future__ import annotations

from autopack_operator.domain import naming
from autopack_operator.domain.api.batch import BatchItem, RunBatchSpec, child_spec
from autopack_operator.domain.api.common import API_VERSION, BATCH_INDEX_ANNOTATION, BATCH_LABEL, MANAGED_BY, JsonDict
from autopack_operator.domain.kueue import QUEUE_LABEL
from autopack_operator.domain.ownership import owner_reference
from autopack_operator.domain.views import BatchView


def run_manifest(batch: BatchView, spec: RunBatchSpec, index: int, item: BatchItem) -> JsonDict:
    """The AutopackRun for one item. It carries no anchor: a run of a batch is judged by its batch's."""
    return {
        "apiVersion": API_VERSION,
        "kind": "AutopackRun",
        "metadata": {
            "name": naming.child_name(batch.name, item.id),
            "namespace": batch.namespace,
            "labels": MANAGED_BY | {BATCH_LABEL: batch.name} | ({QUEUE_LABEL: batch.queue} if batch.queue else {}),
            "annotations": {BATCH_INDEX_ANNOTATION: str(index)},
            "ownerReferences": [owner_reference(batch)],
        },
        "spec": child_spec(spec, item).model_dump(by_alias=True, exclude_defaults=True, mode="json"),
    }
