"""What the operator costs the API server, from the server's own audit log."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.audit import AuditLog, Request
from devcluster.layout import default_layout

from tests.e2e.installation import Installation, make_batch, phase

QUIET_SECONDS = 20.0
RUNS = 5
MAX_MUTATING_A_RUN = 15


@pytest.fixture(scope="module")
def quiet(cluster: None, sample_repository: Path) -> Iterator[Installation]:
    """An installation that no other test has left anything in."""
    with Installation.fresh("requests") as installed:
        installed.import_repository("sample", sample_repository)
        yield installed


@pytest.fixture
def audit_log() -> AuditLog:
    """The embedded cluster's; other clusters do not show theirs."""
    path = default_layout().audit_log
    if not path.exists():
        pytest.skip("only the embedded cluster's audit log can be read")
    return AuditLog(path)


def of_the_operator(requests: list[Request], installation: Installation) -> list[Request]:
    user = f"system:serviceaccount:{installation.namespace}:autopack-operator"
    # A watch is logged when it ends; it ends and begins again every few minutes, and asks for nothing to be done.
    return [request for request in requests if request.user == user and request.verb != "watch"]


def test_an_idle_operator_only_renews_its_leaders_lease(quiet: Installation, audit_log: AuditLog) -> None:
    quiet.apply(make_batch("idle", "true", ["one"]))
    quiet.wait_for("runbatch", "idle", lambda body: phase(body) == "Succeeded")
    time.sleep(5)  # the Events of the end are still on their way
    mark = audit_log.mark()
    time.sleep(QUIET_SECONDS)
    sent = of_the_operator(audit_log.since(mark, [quiet.namespace]), quiet)
    told = Counter((request.verb, request.resource, request.name) for request in sent)
    assert {(resource, name) for _, resource, name in told} == {("leases", "autopack-operator-leader")}, told


def test_a_run_that_succeeds_costs_few_writes(quiet: Installation, audit_log: AuditLog) -> None:
    mark = audit_log.mark()
    quiet.apply(make_batch("frugal", "true", [f"r{number}" for number in range(RUNS)], workers=RUNS))
    quiet.wait_for("runbatch", "frugal", lambda body: phase(body) == "Succeeded")
    time.sleep(2)
    sent = of_the_operator(audit_log.since(mark, [quiet.namespace]), quiet)
    writes = [request for request in sent if request.mutating and request.name != "autopack-operator-leader"]
    told = Counter((request.verb, request.resource) for request in writes)
    assert told["create", "pods"] == RUNS
    assert len(writes) / RUNS <= MAX_MUTATING_A_RUN, told
