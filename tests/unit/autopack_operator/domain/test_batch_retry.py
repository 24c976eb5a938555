"""The batch that tries the failed runs of another one again."""

from __future__ import annotations

import pytest
from tests.unit.autopack_operator.builders import BatchBuilder, anchor_text

from autopack_operator.domain.api.batch import RunBatchSpec
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.batch.matrix import items_of
from autopack_operator.domain.batch.retry import NothingToRetryError, retry_manifest


def finished(failed: str = "1", phase: str = "Failed", **spec: object) -> JsonDict:
    status = {"phase": phase, "succeeded": 1, "finishedIndexes": {"succeeded": "0", "failed": failed}}
    return BatchBuilder().spec(**spec).status(**status).body()


def test_only_the_failed_runs_are_in_it_as_they_were() -> None:
    runs = [{"id": "a"}, {"id": "b", "env": [{"name": "X", "value": "1"}]}, {"id": "c", "args": ["--fast"]}]
    manifest = retry_manifest(finished("1-2", runs=runs), "again")
    assert manifest["spec"]["runs"] == runs[1:]


def test_it_is_a_batch_that_can_be_applied() -> None:
    manifest = retry_manifest(finished(), "again")
    assert (manifest["apiVersion"], manifest["kind"]) == ("autopack.dev/v1alpha1", "RunBatch")
    assert manifest.keys() == {"apiVersion", "kind", "metadata", "spec"}


def test_it_says_whose_runs_it_tries_again_and_has_the_same_anchor() -> None:
    meta = retry_manifest(finished(), "again")["metadata"]
    assert (meta["name"], meta["namespace"]) == ("again", "lab")
    assert meta["annotations"] == {
        "autopack.dev/retry-of": "many",
        "autopack.dev/intention-anchor": anchor_text(),
    }


def test_the_queue_is_taken_over_and_no_other_label() -> None:
    batch = finished()
    batch["metadata"]["labels"] = {"kueue.x-k8s.io/queue-name": "team", "mine": "x"}
    assert retry_manifest(batch, "again")["metadata"]["labels"] == {"kueue.x-k8s.io/queue-name": "team"}


def test_the_template_and_the_policies_are_taken_over_but_no_wish_to_stop() -> None:
    policy = {"maxFailed": 3}
    batch = finished(workers=7, failurePolicy=policy, suspend=True, cancel=True)
    spec = retry_manifest(batch, "again")["spec"]
    assert (spec["workers"], spec["failurePolicy"], spec["template"]) == (7, policy, batch["spec"]["template"])
    assert not {"suspend", "cancel"} & spec.keys()


def test_runs_of_a_matrix_keep_their_ids_and_variables() -> None:
    batch = finished("1", matrix=[{"name": "MODEL", "values": ["small", "big"]}])
    del batch["spec"]["runs"]
    spec = retry_manifest(batch, "again")["spec"]
    assert spec["runs"] == [{"id": "big", "env": [{"name": "MODEL", "value": "big"}]}]
    assert [item.id for item in items_of(RunBatchSpec.model_validate(spec))] == ["big"]


@pytest.mark.parametrize(("wanted", "policy"), [(3, {"succeededCount": 2}), (2, {"succeededCount": 1}), (1, None)])
def test_what_has_succeeded_already_counts_towards_the_success_policy(wanted: int, policy: JsonDict | None) -> None:
    batch = finished("1-2", successPolicy={"succeededCount": wanted})
    assert retry_manifest(batch, "again")["spec"].get("successPolicy") == policy


def test_a_batch_under_way_is_not_retried() -> None:
    with pytest.raises(NothingToRetryError, match="many is not finished"):
        retry_manifest(finished(phase="Running"), "again")


def test_a_batch_without_a_failed_run_is_not_retried() -> None:
    with pytest.raises(NothingToRetryError, match="no run of RunBatch many failed"):
        retry_manifest(finished(""), "again")


def test_a_spec_that_no_longer_is_valid_is_said() -> None:
    with pytest.raises(NothingToRetryError, match="the spec of RunBatch many is not valid"):
        retry_manifest(finished(template={}), "again")
