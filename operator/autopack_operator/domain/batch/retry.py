"""Another RunBatch with the runs of a finished one that failed. What is finished never changes, so trying again is a
new object; it says whose runs it tries again.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from autopack.phases import TERMINAL_PHASES
from autopack_operator.domain import indexes
from autopack_operator.domain.api.batch import RunBatchSpec
from autopack_operator.domain.api.common import ANCHOR_ANNOTATION, API_VERSION, RETRY_OF_ANNOTATION, JsonDict
from autopack_operator.domain.api.status import RunBatchStatus
from autopack_operator.domain.batch.matrix import items_of
from autopack_operator.domain.kueue import QUEUE_LABEL
from autopack_operator.domain.projection import batch_view

_NOT_TAKEN_OVER = ("runs", "matrix", "suspend", "cancel", "successPolicy")


class NothingToRetryError(ValueError):
    """The batch has no failed run that could be tried again; the message says why."""


def retry_manifest(batch: JsonDict, name: str) -> JsonDict:
    """The RunBatch called `name` that tries the failed runs of `batch` (as stored) again: the same template, workers,
    policies, anchor and queue, the same ids. Raises NothingToRetryError.
    """
    view, original = batch_view(batch), batch["metadata"]["name"]
    if view.status.phase not in TERMINAL_PHASES:
        raise NothingToRetryError(f"RunBatch {original} is not finished; wait for its end, or set spec.cancel")
    try:
        spec = RunBatchSpec.model_validate(batch["spec"])
    except ValidationError as error:
        raise NothingToRetryError(f"the spec of RunBatch {original} is not valid: {error}") from error
    failed = indexes.parse(view.status.finished_indexes.failed)
    chosen = [item for index, item in enumerate(items_of(spec)) if index in failed]
    if not chosen:
        raise NothingToRetryError(f"no run of RunBatch {original} failed")
    labels, annotations = (batch["metadata"].get(part) or {} for part in ("labels", "annotations"))
    taken_over = {field: value for field, value in batch["spec"].items() if field not in _NOT_TAKEN_OVER}
    runs = [item.model_dump(by_alias=True, exclude_defaults=True, mode="json") for item in chosen]
    return {
        "apiVersion": API_VERSION,
        "kind": "RunBatch",
        "metadata": {
            "name": name,
            "namespace": batch["metadata"]["namespace"],
            "labels": {key: labels[key] for key in (QUEUE_LABEL,) if key in labels},
            "annotations": {key: annotations[key] for key in (ANCHOR_ANNOTATION,) if key in annotations}
            | {RETRY_OF_ANNOTATION: original},
        },
        "spec": taken_over | {"runs": runs} | _success_policy(spec, view.status, len(runs)),
    }


def _success_policy(spec: RunBatchSpec, status: RunBatchStatus, runs: int) -> dict[str, Any]:
    """What is still wanted after what has succeeded already; nothing when that was enough."""
    if spec.success_policy is None:
        return {}
    wanted = spec.success_policy.succeeded_count - status.succeeded
    return {"successPolicy": {"succeededCount": min(wanted, runs)}} if wanted > 0 else {}
