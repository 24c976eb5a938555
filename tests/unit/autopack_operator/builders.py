"""Builders of cluster objects as the API server stores them: `RunBuilder("one").attempt(1).view()` and so on."""

from __future__ import annotations

import copy
import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from autopack_operator.domain import projection
from autopack_operator.domain.api.common import (
    ANCHOR_ANNOTATION,
    API_VERSION,
    ATTEMPT_LABEL,
    RUN_UID_LABEL,
)
from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.naming import pod_name
from autopack_operator.domain.pod.settings import PodSettings
from autopack_operator.domain.run.memory import RunMemory
from autopack_operator.domain.run.world import World
from autopack_operator.domain.times import rfc3339
from autopack_operator.domain.views import AnchorVerdict, Attempt, BatchView, CommittedWork, PodView, RunView

JsonDict = dict[str, Any]

NAMESPACE = "lab"
NOW = datetime(2026, 1, 6, 12, 0, 0, tzinfo=UTC)
SHA = "0123456789abcdef0123456789abcdef01234567"
PROFILE = RunProfileSpec(default_image="example.org/agent:1", allowed_images=["example.org/*"])
SETTINGS = PodSettings("claim", "example.org/autopack:1", "IfNotPresent", "autopack-run")
APPROVED = AnchorVerdict(True, "ParallelismAllowed", "the anchor allows 4 runs at once", 4)
DENIED = AnchorVerdict(False, "ParallelismNotAllowed", "the anchor blocks parallel runs")

_serial = itertools.count(1)


def later(seconds: float) -> datetime:
    """So many seconds after NOW."""
    return NOW + timedelta(seconds=seconds)


def stamp(seconds: float = 0) -> str:
    """That moment as the API writes it."""
    return rfc3339(later(seconds))


def anchor_text(**policy: object) -> str:
    """An IntentionAnchorV2 that allows four runs at once, or what `policy` says instead."""
    isolation = {"allowed": True, "isolation_model": "four_layer", "max_concurrent_runs": 4} | policy
    return json.dumps(
        {
            "format_version": "v2",
            "project_id": "demo",
            "created_at": "2026-01-06T00:00:00Z",
            "raw_input_digest": "0123456789abcdef",
            "pivot_intentions": {"parallelism_isolation": isolation},
        }
    )


class ObjectBuilder:
    """What all kinds have in common."""

    api_version = API_VERSION
    kind = ""

    def __init__(self, name: str) -> None:
        self._body: JsonDict = {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "metadata": {
                "namespace": NAMESPACE,
                "name": name,
                "uid": f"{next(_serial):08x}-{self.kind.lower()}-{name[:20]}",
                "resourceVersion": "1",
                "generation": 1,
                "creationTimestamp": stamp(),
            },
            "spec": {},
        }

    def uid(self, uid: str) -> Self:
        """Another UID than the generated one."""
        self._body["metadata"]["uid"] = uid
        return self

    def created(self, seconds: float) -> Self:
        """Created so many seconds after NOW (negative: before)."""
        self._body["metadata"]["creationTimestamp"] = stamp(seconds)
        return self

    def deleting(self) -> Self:
        """Deletion was asked for."""
        self._body["metadata"]["deletionTimestamp"] = stamp()
        return self

    def anchor(self, text: str | None) -> Self:
        """The anchor annotation; None for no annotation at all."""
        self._body["metadata"]["annotations"] = {} if text is None else {ANCHOR_ANNOTATION: text}
        return self

    def queue(self, name: str) -> Self:
        """The label that names a Kueue LocalQueue."""
        self._body["metadata"]["labels"] = {"kueue.x-k8s.io/queue-name": name}
        return self

    def generation(self, number: int) -> Self:
        """The spec was edited."""
        self._body["metadata"]["generation"] = number
        return self

    def spec(self, **fields: object) -> Self:
        """Set fields of the spec, by their names on the wire."""
        self._body["spec"] |= fields
        return self

    def status(self, **fields: object) -> Self:
        """Set fields of the status, by their names on the wire."""
        self._body["status"] = self._body.get("status", {}) | fields
        return self

    def owner(self, kind: str, name: str, uid: str) -> Self:
        """The controlling owner."""
        ref = {"apiVersion": API_VERSION, "kind": kind, "name": name, "uid": uid, "controller": True}
        self._body["metadata"]["ownerReferences"] = [ref]
        return self

    def body(self) -> JsonDict:
        """The object as JSON."""
        return copy.deepcopy(self._body)


class RunBuilder(ObjectBuilder):
    """An AutopackRun with an anchor that allows it, one repository and one command."""

    kind = "AutopackRun"

    def __init__(self, name: str = "one") -> None:
        super().__init__(name)
        self.anchor(anchor_text()).spec(source={"repository": "sample"}, command=["agent", "--go"])

    def condition(self, kind: str, status: str = "True", reason: str = "Test") -> Self:
        """One more condition of the status."""
        entry = {"type": kind, "status": status, "reason": reason, "lastTransitionTime": stamp()}
        return self.status(conditions=[*self._body.get("status", {}).get("conditions", []), entry])

    def attempt(self, number: int = 1) -> Self:
        """The attempt is claimed and its Lease is held."""
        self.status(
            phase="Preparing",
            reason="AttemptClaimed",
            attempt=number,
            podName=pod_name(self._body["metadata"]["name"], number),
            sha=SHA,
            branch=f"autopack/{self._body['metadata']['name']}",
            repositoryKey="n-sample",
            workspace=f"workspaces/one/a{number}-00000001",
            artifacts=f"one/a{number}-00000001",
            observedGeneration=1,
        )
        return self.condition("AnchorApproved").condition("LeaseHeld")

    def running(self) -> Self:
        """The command of attempt 1 runs."""
        self.attempt()
        return self.status(phase="Running", reason="CommandRunning", startedAt=stamp(), podUID="pod-1")

    def view(self) -> RunView:
        """As the operator sees it."""
        return projection.run_view(self.body())


class BatchBuilder(ObjectBuilder):
    """A RunBatch of runs with these ids, one after the other unless `workers` says otherwise."""

    kind = "RunBatch"

    def __init__(self, name: str = "many", ids: tuple[str, ...] = ("a", "b", "c"), workers: int = 1) -> None:
        super().__init__(name)
        template = {"source": {"repository": "sample"}, "command": ["agent"]}
        self.anchor(anchor_text()).spec(template=template, runs=[{"id": item} for item in ids], workers=workers)

    def view(self) -> BatchView:
        """As the operator sees it."""
        return projection.batch_view(self.body())


class ProfileBuilder(ObjectBuilder):
    """A RunProfile."""

    kind = "RunProfile"

    def __init__(self, name: str = "default") -> None:
        super().__init__(name)
        self.spec(**PROFILE.model_dump(by_alias=True, exclude_defaults=True))


class PodBuilder(ObjectBuilder):
    """The pod of an attempt, as the kubelet reports it."""

    api_version = "v1"
    kind = "Pod"

    def __init__(self, run: RunView, attempt: int = 1) -> None:
        super().__init__(pod_name(run.name, attempt))
        self.uid(f"pod-{attempt}").owner("AutopackRun", run.name, run.uid)
        self._body["metadata"]["labels"] = {ATTEMPT_LABEL: str(attempt), RUN_UID_LABEL: run.uid}
        self.status(phase="Pending", conditions=[])

    def scheduled(self, status: str = "True", message: str = "") -> Self:
        """The scheduler's answer."""
        return self.with_condition("PodScheduled", status, message=message)

    def with_condition(self, kind: str, status: str, **fields: str) -> Self:
        """One condition of the pod."""
        entry = {"type": kind, "status": status} | fields
        return self.status(conditions=[*self._body["status"]["conditions"], entry])

    def container(self, name: str, **state: object) -> Self:
        """State of a container: `running={}`, `waiting={...}` or `terminated={...}`."""
        place = "containerStatuses" if name == "run" else "initContainerStatuses"
        others = [item for item in self._body["status"].get(place, []) if item["name"] != name]
        return self.status(**{place: [*others, {"name": name, "state": state}]})

    def running(self) -> Self:
        """The workspace is ready, keeper and command run."""
        self.scheduled().container("workspace", terminated={"exitCode": 0, "reason": "Completed"})
        self.container("keeper", running={"startedAt": stamp()})
        return self.container("run", running={"startedAt": stamp()}).status(phase="Running")

    def ended(self, exit_code: int = 0, reason: str = "", **terminated: object) -> Self:
        """All containers have ended; the command with that exit code."""
        self.running().container("keeper", terminated={"exitCode": 0, "reason": "Completed"})
        end = {
            "exitCode": exit_code,
            "reason": reason or ("Error" if exit_code else "Completed"),
            "startedAt": stamp(),
            "finishedAt": stamp(7),
        }
        self.container("run", terminated=end | terminated)
        return self.status(phase="Failed" if exit_code else "Succeeded")

    def view(self) -> PodView:
        """As the operator sees it."""
        return projection.pod_view(self.body())


def prepared(number: int = 1) -> Attempt:
    """What the volume pinned for an attempt of the run "one"."""
    folder = f"one/a{number}-00000001"
    return Attempt(number, "n-sample", SHA, f"workspaces/{folder}", folder, f".kept/{folder}")


def committed(*, complete: bool = True, exit_code: int | None = 0) -> CommittedWork:
    """What the volume imported."""
    return CommittedWork(complete, exit_code, "f" * 40, "refs/runs/1/a1/heads/autopack/one", "e" * 64, 3, 99)


def world(run: RunView, **fields: Any) -> World:
    """What a decision about the run sees: a profile, and nothing else learnt yet."""
    spec = AutopackRunSpec.model_validate(run.spec)
    defaults: JsonDict = {"profile": PROFILE, "canceled": spec.cancel, "held": spec.suspend}
    return World(**{"spec": spec, "known": RunMemory(), **defaults, **fields})


def child(batch: BatchView, item_id: str) -> RunBuilder:
    """A run of the batch."""
    return RunBuilder(f"{batch.name}-{item_id}").anchor(None).owner("RunBatch", batch.name, batch.uid)
