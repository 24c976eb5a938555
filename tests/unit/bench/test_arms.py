"""Latencies are paired by run, from the audit log alone."""

from __future__ import annotations

import pytest
from bench.arms import _refuse_failed, run_to_pod
from bench.audit import Request
from bench.objects import job_pod_with_processes


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


def test_a_jobs_pod_on_a_kubelet_has_the_runs_containers_and_no_volume_of_ours() -> None:
    containers = [{"name": "run", "image": "base", "command": ["/autopack-bin/autopack-entrypoint"]}]
    helpers = [
        {"name": "workspace", "image": "operator", "env": [{"name": "AUTOPACK_ARTIFACTS", "value": "/autopack/model"}]},
        {"name": "keeper", "image": "operator", "restartPolicy": "Always"},
    ]
    volumes = [{"name": "runs", "persistentVolumeClaim": {"claimName": "runs"}}, {"name": "tmp", "emptyDir": {}}]
    spec = {"containers": containers, "initContainers": helpers, "volumes": volumes, "nodeName": "here"}
    made = job_pod_with_processes({"metadata": {"labels": {}}, "spec": spec})["spec"]
    assert made["volumes"] == [{"name": "runs", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}]
    assert [each["image"] for each in made["initContainers"]] == ["operator", "operator"]
    assert "/autopack/model/logs" in made["initContainers"][0]["command"][-1]
    assert made["containers"] == containers
    assert "nodeName" not in made
