"""Latencies are paired by run, from the audit log alone."""

from __future__ import annotations

from bench.arms import run_to_pod
from bench.audit import Request


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
