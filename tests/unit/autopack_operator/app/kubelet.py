"""Scheduler and kubelet of the cluster in memory: pods start, run and end as each test's plan says."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from tests.unit.autopack_operator.fake_api import FakeApi
from tests.unit.autopack_operator.fakes import Folder, VolumeFiles

from autopack_operator.domain import projection
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.times import rfc3339
from autopack_operator.domain.views import PodView

SCHEDULING_SECONDS = 0.2
STARTING_SECONDS = 1.0
STOPPING_SECONDS = 2.0


@dataclass(frozen=True)
class Fate:
    """What becomes of a pod. With `image_error` it never starts; with `eviction` it ends by no fault of its command."""

    exit_code: int = 0
    seconds: float = 4.0
    image_error: str = ""
    eviction: bool = False
    message: str = ""


class Kubelet:
    """One node. Fates are listed by run name, one an attempt; the last holds for all later attempts."""

    def __init__(self, api: FakeApi, files: VolumeFiles) -> None:
        self._api, self._files = api, files
        self.fates: dict[str, list[Fate]] = defaultdict(lambda: [Fate()])
        api.watchers.append(self._see)

    def _see(self, event: str, body: JsonDict) -> None:
        if body["kind"] != "Pod" or event == "DELETED" or not body["spec"]:
            return
        if event == "ADDED":
            self._later(SCHEDULING_SECONDS, body, self._schedule)
        elif "deletionTimestamp" in body["metadata"]:
            running = projection.pod_view(body).phase == "Running"
            self._later(STOPPING_SECONDS if running else 0.0, body, self._remove)

    def _later(self, seconds: float, body: JsonDict, act: Callable[[JsonDict], None]) -> None:
        def if_still_there() -> None:
            found = self._api.find("Pod", body["metadata"]["name"])
            if found is not None and found["metadata"]["uid"] == body["metadata"]["uid"]:
                act(found)

        asyncio.get_running_loop().call_later(seconds, if_still_there)

    def _fate(self, pod: PodView) -> Fate:
        fates = self.fates[pod.owner.name if pod.owner is not None else ""]
        return fates[min(pod.attempt, len(fates)) - 1]

    def _folder(self, pod: PodView) -> Folder:
        return self._files.folders[pod.owner.uid if pod.owner is not None else "", pod.attempt]

    def _schedule(self, body: JsonDict) -> None:
        pod = projection.pod_view(body)
        fate = self._fate(pod)
        status: JsonDict = {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "True"}]}
        if fate.image_error:
            waiting = {"waiting": {"reason": fate.image_error, "message": "no such image"}}
            status["containerStatuses"] = [{"name": "run", "state": waiting}]
        else:
            self._later(STARTING_SECONDS, body, self._start)
        self._api.put_status("Pod", pod.name, status)

    def _start(self, body: JsonDict) -> None:
        if "deletionTimestamp" in body["metadata"]:
            return
        pod = projection.pod_view(body)
        folder = self._folder(pod)
        folder.pods.add(pod.uid)
        if len(folder.pods) > 1:
            # The workspace container refuses a folder in which a command has begun.
            workspace = {"name": "workspace", "state": {"terminated": {"exitCode": 20}}}
            self._api.put_status("Pod", pod.name, {"phase": "Failed", "initContainerStatuses": [workspace]})
            return
        running = {"running": {"startedAt": rfc3339(self._api.now())}}
        self._report(body, "Running", running)
        self._later(self._fate(pod).seconds, body, self._end)

    def _end(self, body: JsonDict) -> None:
        pod = projection.pod_view(body)
        if pod.deleting:
            return
        fate = self._fate(pod)
        if not fate.eviction:
            self._folder(pod).exit_code = fate.exit_code
        code = 137 if fate.eviction else fate.exit_code
        times = {"startedAt": pod.containers[-1].started_at, "finishedAt": rfc3339(self._api.now())}
        terminated: JsonDict = {"terminated": {"exitCode": code, "message": fate.message} | times}
        self._report(body, "Failed" if code else "Succeeded", terminated, reason="Evicted" if fate.eviction else "")

    def _report(self, body: JsonDict, phase: str, run: JsonDict, reason: str = "") -> None:
        workspace = {"exitCode": 0, "finishedAt": (run.get("running") or run["terminated"])["startedAt"]}
        status = {
            "phase": phase,
            "reason": reason,
            "conditions": [{"type": "PodScheduled", "status": "True"}],
            "initContainerStatuses": [{"name": "workspace", "state": {"terminated": workspace}}],
            "containerStatuses": [{"name": "run", "state": run}],
        }
        self._api.put_status("Pod", body["metadata"]["name"], status)

    def _remove(self, body: JsonDict) -> None:
        pod = projection.pod_view(body)
        if pod.phase == "Running":
            # As the real one does: it tells how the containers ended before it lets the object go.
            times = {"startedAt": pod.containers[-1].started_at, "finishedAt": rfc3339(self._api.now())}
            self._report(body, "Failed", {"terminated": {"exitCode": 143} | times})
        self._api.remove("Pod", body["metadata"]["name"])
