"""The AutopackRun that a batch creates, field by field: a wrong owner or label is found by nobody else's test."""

from __future__ import annotations

from tests.unit.autopack_operator.builders import BatchBuilder

from autopack_operator.domain.api.batch import RunBatchSpec
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.batch.children import run_manifest
from autopack_operator.domain.batch.matrix import items_of


def manifest(builder: BatchBuilder, index: int = 1) -> JsonDict:
    batch = builder.uid("u-1").view()
    spec = RunBatchSpec.model_validate(batch.spec)
    return run_manifest(batch, spec, index, items_of(spec)[index])


def test_it_belongs_to_its_batch_and_to_its_index() -> None:
    made = manifest(BatchBuilder())
    assert (made["apiVersion"], made["kind"]) == ("autopack.dev/v1alpha1", "AutopackRun")
    assert made["metadata"] == {
        "name": "many-b",
        "namespace": "lab",
        "labels": {"autopack.dev/batch": "many", "app.kubernetes.io/managed-by": "autopack-operator"},
        "annotations": {"autopack.dev/batch-index": "1"},
        "ownerReferences": [
            {
                "apiVersion": "autopack.dev/v1alpha1",
                "kind": "RunBatch",
                "name": "many",
                "uid": "u-1",
                "controller": True,
                "blockOwnerDeletion": False,
            }
        ],
    }


def test_it_waits_in_the_queue_of_its_batch() -> None:
    assert manifest(BatchBuilder().queue("team"))["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "team"


def test_its_spec_holds_what_was_asked_for_by_the_names_of_the_api_and_no_default() -> None:
    template = {"source": {"repository": "sample"}, "command": ["agent"], "timeoutSeconds": 60}
    assert manifest(BatchBuilder().spec(template=template))["spec"] == template
