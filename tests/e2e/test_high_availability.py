"""Two replicas: one leads. What happens when the leader is stopped without dying, and when the chart changes."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripts import deploy

from tests.e2e.installation import Installation, JsonDict, install, make_batch, phase
from tests.e2e.processes import signal_operator

IDS = [f"n{number}" for number in range(5)]
WORK = 'echo "$AUTOPACK_ATTEMPT" >> "$AUTOPACK_ARTIFACTS/ci/executions"; sleep 3'


@pytest.fixture(scope="module")
def replicated(cluster: None, sample_repository: Path) -> Iterator[Installation]:
    with Installation.fresh("e2e-ha", values={"operator.replicas": "2"}) as installed:
        installed.import_repository("sample", sample_repository)
        yield installed


def leader(installation: Installation) -> str:
    """Name of the pod that holds the leader's Lease."""
    spec: JsonDict = installation.get("lease", "autopack-operator-leader").get("spec", {})
    return str(spec.get("holderIdentity", ""))


def assert_each_ran_once(installation: Installation, batch: str) -> None:
    pods = sorted(pod["metadata"]["name"] for pod in installation.all("pods", f"autopack.dev/batch={batch}"))
    assert pods == [f"{batch}-{item}-a1" for item in IDS]
    for item in IDS:
        run = installation.get("autopackrun", f"{batch}-{item}")
        assert installation.file(f"{run['status']['artifacts']}/ci/executions") == "1\n"
        assert installation.leases_of(run) == []


def test_a_leader_stopped_past_its_lease_makes_no_second_pod(replicated: Installation) -> None:
    replicated.apply(make_batch("stopped", WORK, IDS, workers=2))
    replicated.wait_for("runbatch", "stopped", lambda body: body.get("status", {}).get("succeeded", 0) >= 1)
    former = leader(replicated)
    signal_operator(replicated.namespace, signal.SIGSTOP, former)
    try:
        replicated.wait_for(
            "lease", "autopack-operator-leader", lambda body: body["spec"]["holderIdentity"] not in {"", former}
        )
    finally:
        signal_operator(replicated.namespace, signal.SIGCONT, former)
    batch = replicated.finished("stopped", "runbatch", timeout=120)
    assert (phase(batch), batch["status"]["succeeded"]) == ("Succeeded", len(IDS))
    assert_each_ran_once(replicated, "stopped")
    # Leadership cannot be had back in the middle: the process that lost it has ended.
    replicated.wait_for(
        "pod", former, lambda body: body["status"]["containerStatuses"][0]["restartCount"] >= 1, timeout=60
    )


def test_an_upgrade_and_a_rollback_with_runs_under_way_lose_nothing(replicated: Installation) -> None:
    replicated.apply(make_batch("upgraded", WORK, IDS, workers=2))
    replicated.wait_for("runbatch", "upgraded", lambda body: body.get("status", {}).get("active", 0) >= 1)
    # New pods of the operator and of the volume service, as a new release has them.
    release = {f"{part}.podAnnotations.release": "next" for part in ("operator", "volume")}
    install(replicated.namespace, {"operator.replicas": "2"} | release)
    deploy.run(["helm", "rollback", "autopack", "-n", replicated.namespace, "--wait", "--timeout", "180s"])
    batch = replicated.finished("upgraded", "runbatch", timeout=120)
    assert (phase(batch), batch["status"]["succeeded"]) == ("Succeeded", len(IDS))
    assert_each_ran_once(replicated, "upgraded")
