"""The arms of the throughput comparison: N pods of one shape, by three controllers."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bench import objects
from bench.api import CORE, JOBS, RUNS, Api, JsonDict
from bench.audit import Request
from bench.scene import Scene

LOG_SECONDS = 0.5
"""The audit log has an answer a moment after everybody sees what it was about."""

LEADER_LEASE = "autopack-operator-leader"
JOB_CONTROLLER = "system:serviceaccount:kube-system:job-controller"
MAX_AT_ONCE = 1000
"""The most workers that a RunBatch can have."""

LOOKS_AT_ONCE = 50
"""When the last Job is complete, so are nearly all: one look after the other takes 20 s for 5,000."""

POLL_SECONDS = 1.0
"""Times come from the audit log: that an arm is over may be seen late, and looking often would be a load of its own."""


@dataclass(frozen=True)
class Arm:
    """One arm, once. Latencies are in seconds, one for each pod.

    Attributes:
        rate: finished runs a second, from the first create to the last final status.
        to_pod: from the answer to the create of the run or Job to the request that creates its pod.
        to_status: from the request that reports the pod's end to the answer to the final status.
        mutating: mutating requests of the controller for each run; Events, the leader's Lease and the counters of the
            batch apart, for they do not grow with the runs.
        events: Events of the controller for each run.
        counters: how often the batch's own status was written.
        etcd_bytes: what the store wrote into its log during the arm, whoever asked.
        cpu_seconds: of the operator for all of the arm; 0 where the operator has no part.

    """

    rate: float
    to_pod: Sequence[float] = field(default=(), repr=False)
    to_status: Sequence[float] = field(default=(), repr=False)
    mutating: float = 0.0
    events: float = 0.0
    counters: int = 0
    etcd_bytes: float = 0.0
    cpu_seconds: float = 0.0


async def indexed_job(scene: Scene, count: int) -> Arm:
    """(A) one Indexed Job with N pods."""
    mark, written, at_once = scene.audit.mark(), scene.etcd_bytes(), min(count, MAX_AT_ONCE)
    job = objects.job("indexed", scene.pod, completions=count, parallelism=at_once)
    await scene.jobs.create(JOBS, "jobs", [job])

    async def done() -> bool:
        found = await scene.jobs.glance(JOBS, "jobs", "indexed")
        _refuse_failed(found)
        return _is_complete(found)

    await _until(done)
    requests = scene.audit.since(mark, [scene.jobs.namespace])
    mutating, events = _shares(requests, JOB_CONTROLLER, count)
    rate, written = count / _seconds(requests, "jobs"), scene.etcd_bytes() - written
    return Arm(rate, mutating=mutating, events=events, etcd_bytes=written)


async def single_jobs(scene: Scene, count: int) -> Arm:
    """(B) N Jobs with one pod each."""
    mark, written = scene.audit.mark(), scene.etcd_bytes()
    jobs = (objects.job(f"single-{number}", scene.pod) for number in range(count))
    await scene.jobs.create(JOBS, "jobs", jobs)

    await _until(SingleJobs(scene.jobs, count).done)
    requests = scene.audit.since(mark, [scene.jobs.namespace])
    # A pod that is created by generateName has no name in the log yet: first come, first served is how they are paired.
    created = [each.done for each in requests if each.verb == "create" and each.resource == "jobs"]
    posted = [each.received for each in requests if each.verb == "create" and each.resource == "pods"]
    ends = {name.rpartition("-")[0]: at for name, at in _pod_ends(requests).items()}
    mutating, events = _shares(requests, JOB_CONTROLLER, count)
    return Arm(
        count / _seconds(requests, "jobs"),
        to_pod=[pod - job for job, pod in zip(sorted(created), sorted(posted), strict=True)],
        to_status=_paired(ends, _last(requests, "jobs/status")),
        mutating=mutating,
        events=events,
        etcd_bytes=scene.etcd_bytes() - written,
    )


async def run_batch(scene: Scene, count: int) -> Arm:
    """(C) one RunBatch of N runs."""
    mark, written, operator = scene.audit.mark(), scene.etcd_bytes(), scene.operator()
    cpu = operator.cpu_seconds()
    await scene.runs.create(RUNS, "runbatches", [objects.batch("arm", count, min(count, MAX_AT_ONCE))])

    async def done() -> bool:
        found = await scene.runs.glance(RUNS, "runbatches", "arm")
        _refuse_failed(found)
        return bool(found.get("status", {}).get("succeeded") == count)

    await _until(done)
    requests = scene.audit.since(mark, [scene.runs.namespace])
    ends = {_run_of(name): at for name, at in _pod_ends(requests).items()}
    mutating, events = _shares(requests, scene.operator_user, count)
    return Arm(
        count / _seconds(requests, "runbatches"),
        to_pod=run_to_pod(requests),
        to_status=_paired(ends, _last(requests, "autopackruns/status")),
        cpu_seconds=operator.cpu_seconds() - cpu,
        counters=sum(each.resource == "runbatches/status" and each.mutating for each in requests),
        mutating=mutating,
        events=events,
        etcd_bytes=scene.etcd_bytes() - written,
    )


async def idle_helpers(scene: Scene, count: int) -> Arm:
    """(B0) N Jobs with one pod each, whose helpers do no work."""
    return await single_jobs(replace(scene, pod=objects.without_work(scene.pod)), count)


Arms = Mapping[str, Callable[[Scene, int], Awaitable[Arm]]]
"""What measures an arm of so many pods, by the arm's name."""

ARMS: Arms = {"A": indexed_job, "B": single_jobs, "C": run_batch}
ARMS_OF_PROCESSES: Arms = {**ARMS, "B0": idle_helpers}


def run_to_pod(requests: Sequence[Request]) -> list[float]:
    """For each run, the seconds from the answer to its create to the request that creates its first pod."""
    created = {each.name: each.done for each in requests if each.verb == "create" and each.resource == "autopackruns"}
    posted = {
        _run_of(each.name): each.received
        for each in requests
        if each.verb == "create" and each.resource == "pods" and each.name.endswith("-a1")
    }
    return _paired(created, posted)


class SingleJobs:
    """Whether all Jobs of arm B are complete, without a list of them: a thousand are 5 MB each time.

    The last Job is looked at until it is complete, then those before it, many at once: while the arm is on, a look is
    one object. A failure shows at once all the same, as a pod that failed: there is no retry.
    """

    def __init__(self, jobs: Api, count: int) -> None:
        self._jobs, self._left, self._looks = jobs, count, 1

    async def done(self) -> bool:
        """Look once. Ends the process when a pod or the Job looked at has failed."""
        failed = (await self._jobs.glance(CORE, "pods", fieldSelector="status.phase=Failed"))["items"]
        if failed:
            raise SystemExit(f"{len(failed)} pods of Jobs failed: {json.dumps(failed[0]['status'])}")
        while self._left:
            names = [f"single-{number}" for number in range(self._left - 1, -1, -1)[: self._looks]]
            for found in await asyncio.gather(*(self._jobs.glance(JOBS, "jobs", name) for name in names)):
                _refuse_failed(found)
                if not _is_complete(found):
                    return False
                self._left -= 1
            self._looks = LOOKS_AT_ONCE
        return True


async def _until(done: Callable[[], Awaitable[bool]]) -> None:
    """Wait; the part that the arm belongs to is bounded in time."""
    while not await done():
        await asyncio.sleep(POLL_SECONDS)
    await asyncio.sleep(LOG_SECONDS)


def _is_complete(job: JsonDict) -> bool:
    return bool(job.get("status", {}).get("completionTime"))


def _refuse_failed(found: JsonDict) -> None:
    """Waiting for success is in vain once something has failed, and a failure is no throughput."""
    failed = found.get("status", {}).get("failed", 0)
    if failed:
        raise SystemExit(f"{failed} of {found['metadata']['name']} failed: {json.dumps(found['status'])}")


def _seconds(requests: Sequence[Request], kind: str) -> float:
    """From the first create to the last status of that kind. Of runs in a batch, the batch's own is the last."""
    first = min(each.received for each in requests if each.verb == "create" and each.resource == kind)
    last = max(each.done for each in requests if each.resource == f"{kind}/status" and each.mutating)
    return last - first


def _shares(requests: Sequence[Request], controller: str, count: int) -> tuple[float, float]:
    """Mutating requests and, apart from them, Events of the controller, for each run."""
    own = [each for each in requests if each.user == controller and each.mutating]
    events = sum(each.resource == "events" for each in own)
    apart = sum(each.resource == "runbatches/status" or each.name == LEADER_LEASE for each in own)
    return (len(own) - events - apart) / count, events / count


def _pod_ends(requests: Sequence[Request]) -> dict[str, float]:
    """When each pod's end came from its node, of kwok's nodes alone: a kubelet writes on after the end."""
    return {
        each.name: each.received
        for each in requests
        if each.resource == "pods/status" and each.mutating and each.agent.startswith("kwok")
    }


def _last(requests: Sequence[Request], resource: str) -> dict[str, float]:
    return {each.name: each.done for each in requests if each.resource == resource and each.mutating}


def _paired(before: dict[str, float], after: dict[str, float]) -> list[float]:
    return [after[name] - at for name, at in before.items() if name in after]


def _run_of(pod: str) -> str:
    return re.sub(r"-a\d+$", "", pod)
