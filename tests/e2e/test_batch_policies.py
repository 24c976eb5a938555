"""What a RunBatch may ask for beyond a list of runs, on the real kubelet."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from scripts import deploy
from scripts.deploy import kubectl

from autopack_operator.domain.batch.retry import retry_manifest
from tests.e2e.installation import ANCHOR, Installation, JsonDict, make_batch, make_run, phase
from tests.e2e.test_batches import overlap, span

LONG = "sleep 120"


def ending(body: JsonDict) -> tuple[str, str]:
    return phase(body), body["status"]["reason"]


def phases(installation: Installation, batch: str) -> dict[str, str]:
    """Phase of each run of the batch, by id."""
    runs = installation.all("autopackruns", f"autopack.dev/batch={batch}")
    return {run["metadata"]["name"].removeprefix(f"{batch}-"): phase(run) for run in runs}


def only(name: str, script: str, otherwise: str) -> str:
    """That script in the run of that name, another one in all others."""
    return f'if [ "$AUTOPACK_RUN_ID" = {name} ]; then {script}; else {otherwise}; fi'


def patch(installation: Installation, kind: str, name: str, change: JsonDict) -> None:
    """kubectl patch of the spec."""
    words = ["patch", kind, name, "-n", installation.namespace, "--type=merge", "-p", json.dumps({"spec": change})]
    kubectl(*words)


def matrix_batch(name: str, script: str, axes: dict[str, list[str]], **spec: Any) -> JsonDict:
    manifest = make_batch(name, script, [], **spec)
    del manifest["spec"]["runs"]
    manifest["spec"]["matrix"] = [{"name": axis, "values": values} for axis, values in axes.items()]
    return manifest


def test_a_matrix_gives_every_run_its_values(installation: Installation) -> None:
    script = 'echo "$SIZE $TASK" > "$AUTOPACK_ARTIFACTS/ci/values"'
    axes = {"SIZE": ["Small"], "TASK": ["a/b", "c"]}
    installation.apply(matrix_batch("matrix", script, axes, workers=2))
    installation.finished("matrix", "runbatch", timeout=120)
    found = {}
    for run in installation.all("autopackruns", "autopack.dev/batch=matrix"):
        values = installation.file(f"{run['status']['artifacts']}/ci/values")
        found[run["metadata"]["name"]] = values.strip()
    assert found == {"matrix-small-a-b": "Small a/b", "matrix-small-c": "Small c"}


@pytest.mark.parametrize(
    ("manifest", "named"),
    [
        pytest.param(
            matrix_batch("huge", "true", {name: [str(n) for n in range(75)] for name in ("A", "B")}),
            "spec.matrix",
            id="more than 5,000 combinations",
        ),
        pytest.param(matrix_batch("twice", "true", {"A": ["x", "x"]}), "spec.matrix[0].values[1]", id="a value twice"),
        pytest.param(
            make_batch("greedy", "true", ["a"], successPolicy={"succeededCount": 2}),
            "spec.successPolicy.succeededCount",
            id="more successes than runs",
        ),
    ],
)
def test_a_batch_that_cannot_be_is_refused_naming_the_field(
    installation: Installation, manifest: JsonDict, named: str
) -> None:
    with pytest.raises(deploy.CommandError) as refusal:
        installation.apply(manifest)
    assert named in str(refusal.value)


def test_a_batch_that_gives_up_cancels_what_runs_and_what_failed_can_be_retried(installation: Installation) -> None:
    policy = {"maxFailed": 0, "action": "Cancel"}
    script = only("hopeless-a", "sleep 2; exit 1", LONG)
    installation.apply(make_batch("hopeless", script, ["a", "b", "c"], workers=2, failurePolicy=policy))
    batch = installation.finished("hopeless", "runbatch", timeout=120)
    assert ending(batch) == ("Failed", "TooManyRunsFailed")
    assert phases(installation, "hopeless") == {"a": "Failed", "b": "Canceled"}
    installation.apply(retry_manifest(batch, "hopeful"))
    again = installation.wait_for("runbatch", "hopeful", lambda body: body.get("status", {}).get("active", 0) > 0)
    assert [run["id"] for run in again["spec"]["runs"]] == ["a", "b"]
    patch(installation, "runbatch", "hopeful", {"cancel": True})
    installation.finished("hopeful", "runbatch")


def test_a_batch_with_enough_successes_cancels_the_rest(installation: Installation) -> None:
    script = only("race-b", "sleep 1", LONG)
    installation.apply(make_batch("race", script, ["a", "b"], workers=2, successPolicy={"succeededCount": 1}))
    batch = installation.finished("race", "runbatch", timeout=120)
    assert ending(batch) == ("Succeeded", "SuccessPolicyMet")
    assert phases(installation, "race") == {"a": "Canceled", "b": "Succeeded"}


def test_a_batch_past_its_deadline_fails_and_its_runs_stop(installation: Installation) -> None:
    installation.apply(make_batch("late", LONG, ["a"], activeDeadlineSeconds=8))
    batch = installation.finished("late", "runbatch", timeout=90)
    assert ending(batch) == ("Failed", "DeadlineExceeded")
    assert phases(installation, "late") == {"a": "Canceled"}


def test_starts_keep_their_distance(installation: Installation) -> None:
    installation.apply(make_batch("paced", "true", ["a", "b", "c"], workers=3, startIntervalSeconds=3))
    installation.finished("paced", "runbatch", timeout=120)
    runs = installation.all("autopackruns", "autopack.dev/batch=paced")
    starts = sorted(datetime.fromisoformat(run["metadata"]["creationTimestamp"]) for run in runs)
    # The API server's timestamps have no fractions of a second.
    assert all((after - before).total_seconds() >= 2 for before, after in itertools.pairwise(starts))


def test_workers_may_be_added_while_a_batch_runs(installation: Installation) -> None:
    installation.apply(make_batch("growing", "sleep 4", ["a", "b", "c", "d"], workers=1))
    installation.wait_for("runbatch", "growing", lambda body: body.get("status", {}).get("active") == 1)
    patch(installation, "runbatch", "growing", {"workers": 3})
    batch = installation.finished("growing", "runbatch", timeout=120)
    assert (phase(batch), batch["status"]["effectiveWorkers"]) == ("Succeeded", 3)
    assert overlap([span(pod) for pod in installation.all("pods", "autopack.dev/batch=growing")]) in {2, 3}


def test_a_finished_batch_goes_when_its_time_is_over_and_its_runs_with_it(installation: Installation) -> None:
    installation.apply(make_batch("brief", "true", ["a"], ttlSecondsAfterFinished={"succeeded": 0}))
    kubectl("wait", "--for=delete", "runbatch/brief", "-n", installation.namespace, "--timeout=90s")
    kubectl("wait", "--for=delete", "autopackrun/brief-a", "-n", installation.namespace, "--timeout=60s")


@pytest.fixture
def narrow(installation: Installation) -> Iterator[str]:
    """A profile that lets one run be under way."""
    spec = installation.get("runprofile", "default")["spec"] | {"maxConcurrentRuns": 1}
    meta = {"name": "narrow"}
    installation.apply({"apiVersion": "autopack.dev/v1alpha1", "kind": "RunProfile", "metadata": meta, "spec": spec})
    yield "narrow"
    kubectl("delete", "runprofile", "narrow", "-n", installation.namespace)


def test_a_batch_and_a_single_run_share_the_places_of_their_profile(installation: Installation, narrow: str) -> None:
    batch = make_batch("crowd", "sleep 2", ["a", "b"], workers=2)
    batch["spec"]["template"]["profileRef"] = {"name": narrow}
    installation.apply(batch)
    installation.wait_for("runbatch", "crowd", lambda body: body.get("status", {}).get("active") == 1)
    installation.apply(make_run("alone", "sleep 2", profileRef={"name": narrow}))
    waiting = installation.wait_for("autopackrun", "alone", lambda body: phase(body) != "")
    assert ending(waiting) == ("Pending", "QuotaReached")
    assert phase(installation.finished("alone", timeout=120)) == "Succeeded"
    assert phase(installation.finished("crowd", "runbatch", timeout=120)) == "Succeeded"
    pods = [*installation.all("pods", "autopack.dev/batch=crowd"), *installation.pods_of("alone")]
    assert (len(pods), overlap([span(pod) for pod in pods])) == (3, 1)


def test_a_run_of_a_queue_waits_until_it_is_admitted(installation: Installation) -> None:
    """Kueue's part is played here: it admits a pod by taking its gate off."""
    batch = make_batch("queued", "true", ["a"], anchor=ANCHOR)
    batch["metadata"]["labels"] = {"kueue.x-k8s.io/queue-name": "team"}
    installation.apply(batch)
    run = installation.wait_for("autopackrun", "queued-a", lambda body: phase(body) == "Preparing" and gated(body))
    [pod] = installation.pods_of("queued-a")
    assert pod["metadata"]["labels"]["kueue.x-k8s.io/managed"] == "true"
    assert run["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "team"
    admit = [{"op": "remove", "path": "/spec/schedulingGates"}]
    words = [pod["metadata"]["name"], "-n", installation.namespace, "--type=json", "-p", json.dumps(admit)]
    kubectl("patch", "pod", *words)
    assert phase(installation.finished("queued", "runbatch", timeout=90)) == "Succeeded"


def gated(run: JsonDict) -> bool:
    return bool(run["status"]["reason"] == "SchedulingGated")
