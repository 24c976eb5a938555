"""Cluster objects (raw JSON) -> views. Total functions: an object with missing or odd parts still gives a view."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from autopack.phases import PodPhase
from autopack_operator.domain.api.common import (
    ANCHOR_ANNOTATION,
    ATTEMPT_LABEL,
    BATCH_INDEX_ANNOTATION,
    RUN_UID_LABEL,
    JsonDict,
)
from autopack_operator.domain.api.status import AutopackRunStatus, RunBatchStatus
from autopack_operator.domain.kueue import queue_of
from autopack_operator.domain.views import (
    BatchView,
    ContainerView,
    LeaseView,
    Owner,
    PodView,
    ProfileView,
    RunView,
)

PROMPT_BEGINNING = 512
"""Characters; more than is shown of a prompt anywhere."""

StatusT = TypeVar("StatusT", bound=BaseModel)


def run_view(body: JsonDict) -> RunView:
    """An AutopackRun as stored. Of one that is finished only the beginning of its prompt is kept in memory: nobody asks
    for the rest, and there may be thousands of them.
    """
    meta = body["metadata"]
    run = RunView(
        **_common(body),
        owner=controller_of(meta),
        batch_index=_index((meta.get("annotations") or {}).get(BATCH_INDEX_ANNOTATION)),
        status=_status(AutopackRunStatus, body),
    )
    prompt = run.spec.get("prompt") if run.terminal and isinstance(run.spec, dict) else None
    if isinstance(prompt, str) and len(prompt) > PROMPT_BEGINNING:
        return replace(run, spec=run.spec | {"prompt": prompt[:PROMPT_BEGINNING]})
    return run


def batch_view(body: JsonDict) -> BatchView:
    """A RunBatch as stored."""
    return BatchView(**_common(body), status=_status(RunBatchStatus, body))


def profile_view(body: JsonDict) -> ProfileView:
    """A RunProfile as stored."""
    meta = body["metadata"]
    generation = meta.get("generation", 0)
    return ProfileView(meta["namespace"], meta["name"], meta["uid"], generation, body.get("spec") or {})


def controller_of(meta: JsonDict) -> Owner | None:
    """The one owner marked as controller."""
    for ref in meta.get("ownerReferences") or ():
        if ref.get("controller"):
            return Owner(ref.get("kind", ""), ref.get("name", ""), ref.get("uid", ""))
    return None


def pod_view(body: JsonDict) -> PodView:
    """A pod of a run."""
    meta, status = body["metadata"], body.get("status") or {}
    conditions = {condition.get("type"): condition for condition in status.get("conditions") or ()}
    disrupted, placed = conditions.get("DisruptionTarget", {}), conditions.get("PodScheduled", {})
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return PodView(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        resource_version=meta.get("resourceVersion", ""),
        owner=controller_of(meta),
        attempt=_number((meta.get("labels") or {}).get(ATTEMPT_LABEL)),
        phase=status.get("phase") or PodPhase.PENDING,
        reason=status.get("reason") or "",
        message=status.get("message") or _unschedulable(conditions),
        created_at=meta.get("creationTimestamp", ""),
        deleting="deletionTimestamp" in meta,
        scheduled=placed.get("status") == "True",
        disrupted=disrupted.get("reason", "Disrupted") if disrupted.get("status") == "True" else None,
        containers=tuple(_container(item) for item in containers),
        gated=placed.get("reason") == "SchedulingGated",
        node=(body.get("spec") or {}).get("nodeName") or "",
        stops_by=meta.get("deletionTimestamp"),
        scheduled_at=(placed.get("lastTransitionTime") or "") if placed.get("status") == "True" else "",
    )


def lease_view(body: JsonDict) -> LeaseView | None:
    """A Lease of a run, by its labels and its owner; None for another's."""
    meta = body["metadata"]
    labels, owners = meta.get("labels") or {}, meta.get("ownerReferences") or ()
    uid = labels.get(RUN_UID_LABEL)
    names = [ref.get("name", "") for ref in owners if ref.get("uid") == uid]
    return LeaseView(meta["namespace"], names[0], uid, _number(labels.get(ATTEMPT_LABEL))) if names and uid else None


def _unschedulable(conditions: dict[str, JsonDict]) -> str:
    scheduled = conditions.get("PodScheduled", {})
    return str(scheduled.get("message") or "") if scheduled.get("status") == "False" else ""


def _container(item: JsonDict) -> ContainerView:
    state = item.get("state") or {}
    waiting, terminated, running = state.get("waiting"), state.get("terminated"), state.get("running")
    return ContainerView(
        name=item.get("name") or "",
        running=running is not None,
        waiting=(waiting or {}).get("reason", "Waiting") if waiting is not None else None,
        waiting_message=(waiting or {}).get("message") or "",
        terminated=(terminated or {}).get("reason", "Terminated") if terminated is not None else None,
        exit_code=(terminated or {}).get("exitCode"),
        signal=(terminated or {}).get("signal"),
        message=(terminated or {}).get("message") or "",
        started_at=(running or terminated or {}).get("startedAt"),
        finished_at=(terminated or {}).get("finishedAt"),
    )


def _common(body: JsonDict) -> JsonDict:
    meta = body["metadata"]
    return {
        "namespace": meta["namespace"],
        "name": meta["name"],
        "uid": meta["uid"],
        "resource_version": meta.get("resourceVersion", ""),
        "generation": meta.get("generation", 0),
        "created_at": meta.get("creationTimestamp", ""),
        "deleting": "deletionTimestamp" in meta,
        "anchor": (meta.get("annotations") or {}).get(ANCHOR_ANNOTATION),
        "spec": body.get("spec") or {},
        "queue": queue_of(meta.get("labels") or {}),
    }


def _status(model: type[StatusT], body: JsonDict) -> StatusT:
    """A status that nobody can read (written by hand, say) counts as none: it is written again from what is true."""
    try:
        return model.model_validate(body.get("status") or {})
    except ValidationError:
        return model()


def _index(text: object) -> int | None:
    return int(text) if isinstance(text, str) and len(text) < 10 and text.isascii() and text.isdecimal() else None


def _number(text: object) -> int:
    return int(text) if isinstance(text, str) and text.isdecimal() else 0
