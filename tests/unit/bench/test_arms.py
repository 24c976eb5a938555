"""Latencies are paired by run, from the audit log alone."""

from __future__ import annotations

from typing import Any

import pytest
from bench.api import Api
from bench.arms import SingleJobs, _refuse_failed, run_to_pod
from bench.audit import Request
from bench.objects import job_pod_with_processes, without_work


def request(verb: str, resource: str, name: str, received: float, done: float) -> Request:
    return Request(verb, resource, "n", name, "agent", "user", 201, received, done)


def test_the_first_attempts_pod_counts() -> None:
    found = run_to_pod(
        [
            request("create", "autopackruns", "one", 0.0, 1.0),
            request("create", "autopackruns", "two-a1", 0.0, 2.0),
            request("create", "pods", "one-a1", 1.5, 1.6),
            request("create", "pods", "two-a1-a1", 2.25, 2.3),
            request("create", "pods", "one-a2", 9.0, 9.1),
        ]
    )
    assert found == [0.5, 0.25]


@pytest.mark.parametrize("status", [{}, {"failed": 0, "succeeded": 3}])
def test_what_has_not_failed_is_waited_for(status: dict[str, int]) -> None:
    _refuse_failed({"metadata": {"name": "indexed"}, "status": status})


def test_a_failure_ends_the_wait() -> None:
    with pytest.raises(SystemExit, match="2 of indexed failed"):
        _refuse_failed({"metadata": {"name": "indexed"}, "status": {"failed": 2}})


class JobsSoFar(Api):
    """A namespace with Jobs and their pods, which counts the looks at Jobs."""

    def __init__(self, jobs: dict[str, dict[str, Any]], failed_pods: list[dict[str, Any]]) -> None:
        self.jobs, self.failed_pods, self.looks = jobs, failed_pods, 0

    async def glance(self, group: str, plural: str, name: str = "", **query: str) -> dict[str, Any]:
        """A failed pod is found by its phase; a Job by its name."""
        if plural == "pods":
            assert query == {"fieldSelector": "status.phase=Failed"}
            return {"items": self.failed_pods}
        self.looks += 1
        return self.jobs.get(name, {})


COMPLETE = {"status": {"succeeded": 1, "completionTime": "2026-01-06T00:00:00Z"}}


async def test_single_jobs_are_done_when_each_is_and_a_look_is_at_one_of_them_until_the_last_is() -> None:
    jobs = JobsSoFar({f"single-{number}": COMPLETE for number in range(9)}, [])
    arm = SingleJobs(jobs, 10)
    # The last one is not even in the cache yet.
    assert not await arm.done()
    assert jobs.looks == 1
    jobs.jobs |= {"single-9": COMPLETE, "single-4": {"metadata": {"name": "single-4"}, "status": {"active": 1}}}
    assert not await arm.done()
    jobs.jobs["single-4"] = COMPLETE
    jobs.looks = 0
    assert await arm.done()
    assert jobs.looks == 5


@pytest.mark.parametrize(
    ("jobs", "pods", "why"),
    [
        ({}, [{"status": {"phase": "Failed", "reason": "OutOfpods"}}], "1 pods of Jobs failed.*OutOfpods"),
        ({"single-9": {"metadata": {"name": "single-9"}, "status": {"failed": 1}}}, [], "1 of single-9 failed"),
    ],
    ids=["some pod", "the Job looked at"],
)
async def test_a_failed_single_job_ends_the_wait(
    jobs: dict[str, dict[str, Any]], pods: list[dict[str, Any]], why: str
) -> None:
    with pytest.raises(SystemExit, match=why):
        await SingleJobs(JobsSoFar(jobs, pods), 10).done()


def test_a_jobs_pod_on_a_kubelet_has_the_runs_containers_and_writes_only_what_is_its_own() -> None:
    mounts = [
        {"name": "runs", "mountPath": "/autopack/mirror.git", "subPath": ".repos/n/mirror.git", "readOnly": True},
        {"name": "runs", "mountPath": "/autopack/model", "subPath": "model/a1"},
        {"name": "tmp", "mountPath": "/tmp"},
    ]
    env = [{"name": "AUTOPACK_ARTIFACTS", "value": "/autopack/model"}]
    helpers: list[dict[str, Any]] = [
        {"name": name, "image": "operator", "command": ["autopack-runtime", name], "env": env, "volumeMounts": mounts}
        for name in ("workspace", "keeper")
    ]
    containers = [{"name": "run", "command": ["/autopack-bin/autopack-entrypoint"], "volumeMounts": mounts}]
    volumes = [{"name": "runs", "persistentVolumeClaim": {"claimName": "runs"}}, {"name": "tmp", "emptyDir": {}}]
    spec = {"containers": containers, "initContainers": helpers, "volumes": volumes, "nodeName": "here"}
    made = job_pod_with_processes({"metadata": {"labels": {}}, "spec": spec})
    found = made["spec"]
    assert found["volumes"] == [*volumes, {"name": "own", "emptyDir": {}}]
    ours = [each["command"] for each in (*found["initContainers"], *found["containers"])]
    assert ours == [each["command"] for each in (*helpers, *containers)]
    for container in (*found["initContainers"], *found["containers"]):
        assert [mount["name"] for mount in container["volumeMounts"]] == ["runs", "own", "tmp"]
    assert "nodeName" not in found
    idle = without_work(made)["spec"]
    assert "/autopack/model/logs" in idle["initContainers"][0]["command"][-1]
    assert [each["image"] for each in idle["initContainers"]] == ["operator", "operator"]
    assert idle["containers"] == found["containers"]
    assert found["initContainers"][0]["command"] == ["autopack-runtime", "workspace"]
