"""The operator is killed with SIGKILL while runs are under way; what it finds afterwards is enough."""

from __future__ import annotations

import signal

from tests.e2e.installation import Installation, make_batch, make_run, phase
from tests.e2e.processes import signal_operator


def test_a_run_goes_on_and_ends_the_same_with_one_pod(installation: Installation) -> None:
    installation.apply(make_run("survivor", "sleep 6; echo done >> README.md; git commit -qam done"))
    installation.wait_for("autopackrun", "survivor", lambda body: phase(body) == "Running")
    signal_operator(installation.namespace, signal.SIGKILL)
    run = installation.finished("survivor", timeout=150)
    assert (phase(run), run["status"]["attempt"]) == ("Succeeded", 1)
    assert [pod["metadata"]["name"] for pod in installation.pods_of("survivor")] == ["survivor-a1"]
    assert installation.leases_of(run) == []


def test_a_batch_killed_in_the_middle_starts_every_run_once(installation: Installation) -> None:
    ids = [f"n{number}" for number in range(6)]
    installation.apply(
        make_batch("killed", "sleep 1; echo $AUTOPACK_ATTEMPT > $AUTOPACK_ARTIFACTS/ci/attempt", ids, workers=2)
    )
    installation.wait_for("runbatch", "killed", lambda body: body.get("status", {}).get("succeeded", 0) >= 1)
    signal_operator(installation.namespace, signal.SIGKILL)
    batch = installation.finished("killed", "runbatch", timeout=200)
    assert (phase(batch), batch["status"]["succeeded"]) == ("Succeeded", 6)
    pods = sorted(pod["metadata"]["name"] for pod in installation.all("pods", "autopack.dev/batch=killed"))
    assert pods == [f"killed-n{number}-a1" for number in range(6)]
