"""Stopping and repeating runs on the real kubelet: cancel, suspend, timeout, retry, deletion, any image."""

from __future__ import annotations

import json
import time

from scripts.deploy import kubectl

from tests.e2e.installation import Installation, kept, make_batch, make_run, phase

WORK = "echo started > begun.txt; git add begun.txt; git commit -qm begun; sleep 120"
PROBE_IMAGE = "localhost/autopack-probe:dev"


def patch(installation: Installation, kind: str, name: str, change: str) -> None:
    """kubectl patch of the spec."""
    kubectl("patch", kind, name, "-n", installation.namespace, "--type=merge", "-p", f'{{"spec":{change}}}')


def wait_until_it_works(installation: Installation, name: str) -> None:
    """Return once the command of that run has made its commit."""
    installation.wait_for("autopackrun", name, lambda body: phase(body) == "Running")
    time.sleep(2)


def pods_go(installation: Installation, name: str) -> bool:
    """Whether the run's pods are gone soon; the object of a stopped pod stays a moment longer than its containers."""
    deadline = time.monotonic() + 30
    while installation.pods_of(name) and time.monotonic() < deadline:
        time.sleep(0.2)
    return installation.pods_of(name) == []


def test_a_canceled_run_ends_soon_and_keeps_its_work(installation: Installation) -> None:
    installation.apply(make_run("canceled", WORK))
    wait_until_it_works(installation, "canceled")
    patch(installation, "autopackrun", "canceled", '{"cancel":true}')
    run = installation.finished("canceled", timeout=60)
    assert (phase(run), run["status"]["reason"]) == ("Canceled", "Canceled")
    assert installation.git(run, "show", f"{run['status']['ref']}:begun.txt") == "started\n"
    assert pods_go(installation, "canceled")
    assert installation.leases_of(run) == []


def test_a_canceled_batch_stops_what_runs_and_starts_nothing(installation: Installation) -> None:
    installation.apply(make_batch("callback", WORK, ["a", "b", "c"], workers=1))
    wait_until_it_works(installation, "callback-a")
    patch(installation, "runbatch", "callback", '{"cancel":true}')
    batch = installation.finished("callback", "runbatch", timeout=90)
    assert phase(batch) == "Canceled"
    children = installation.all("autopackruns", "autopack.dev/batch=callback")
    assert [(child["metadata"]["name"], phase(child)) for child in children] == [("callback-a", "Canceled")]


def test_a_suspended_run_stops_and_goes_on_as_another_attempt(installation: Installation) -> None:
    installation.apply(make_run("paused", "test $AUTOPACK_ATTEMPT = 2 || sleep 120"))
    wait_until_it_works(installation, "paused")
    patch(installation, "autopackrun", "paused", '{"suspend":true}')
    held = installation.wait_for(
        "autopackrun", "paused", lambda body: (phase(body), body["status"]["reason"]) == ("Pending", "Suspended")
    )
    assert pods_go(installation, "paused")
    assert installation.leases_of(held) == []
    patch(installation, "autopackrun", "paused", '{"suspend":false}')
    run = installation.finished("paused", timeout=60)
    assert (phase(run), run["status"]["attempt"]) == ("Succeeded", 2)
    assert run["status"]["failures"] == {"infrastructure": 0, "agent": 0}


def test_a_run_that_takes_too_long_is_stopped(installation: Installation) -> None:
    installation.apply(make_run("slow", "sleep 120", timeoutSeconds=6))
    run = installation.finished("slow", timeout=60)
    assert (phase(run), run["status"]["reason"]) == ("Failed", "Timeout")


def test_a_failed_command_is_tried_again_as_often_as_asked(installation: Installation) -> None:
    retry = {"agent": 2, "backoffSeconds": 1}
    installation.apply(make_run("again", "test $AUTOPACK_ATTEMPT = 3", retry=retry))
    run = installation.finished("again", timeout=90)
    assert (phase(run), run["status"]["attempt"]) == ("Succeeded", 3)
    assert run["status"]["failures"]["agent"] == 2
    names = sorted(pod["metadata"]["name"] for pod in installation.pods_of("again"))
    assert names == ["again-a1", "again-a2", "again-a3"]


def test_a_deleted_pod_is_a_lost_attempt_and_another_follows(installation: Installation) -> None:
    retry = {"infrastructure": 1, "backoffSeconds": 1}
    installation.apply(make_run("lost", "test $AUTOPACK_ATTEMPT = 2 || sleep 120", retry=retry))
    wait_until_it_works(installation, "lost")
    kubectl("delete", "pod", "lost-a1", "-n", installation.namespace, "--wait=false")
    run = installation.finished("lost", timeout=90)
    assert (phase(run), run["status"]["attempt"]) == ("Succeeded", 2)


def test_any_image_will_do_and_its_end_outlives_its_pod(installation: Installation) -> None:
    profile = installation.get("runprofile", "default")
    own = {"apiVersion": profile["apiVersion"], "kind": "RunProfile", "metadata": {"name": "scratch"}}
    own["spec"] = profile["spec"] | {"defaultImage": PROBE_IMAGE}
    run = make_run("scratch", "", profileRef={"name": "scratch"})
    run["spec"]["command"] = ["/probe", "exit", "5"]
    installation.apply(own, run)
    finished = installation.finished("scratch")
    assert (phase(finished), finished["status"]["exitCode"]) == ("Failed", 5)
    kubectl("delete", "pod", "scratch-a1", "-n", installation.namespace, "--wait=true")
    folder = finished["status"]["artifacts"]
    assert json.loads(installation.file(f"{kept(finished)}/result.json"))["exitCode"] == 5
    assert installation.in_volume("ls", f"/autopack/{folder}/logs").split() == ["stderr.log", "stdout.log"]


def test_a_run_deleted_while_it_works_leaves_no_pod_and_no_lease(installation: Installation) -> None:
    installation.apply(make_run("dropped", WORK))
    wait_until_it_works(installation, "dropped")
    run = installation.get("autopackrun", "dropped")
    kubectl("delete", "autopackrun", "dropped", "-n", installation.namespace, "--wait=true")
    assert pods_go(installation, "dropped")
    assert installation.leases_of(run) == []


def test_the_work_of_a_run_deleted_while_the_operator_was_away_is_taken_in(installation: Installation) -> None:
    installation.apply(make_run("forsaken", WORK))
    wait_until_it_works(installation, "forsaken")
    run = installation.get("autopackrun", "forsaken")
    operator = ["deployment/autopack-operator", "-n", installation.namespace]
    kubectl("scale", *operator, "--replicas=0")
    try:
        kubectl("delete", "autopackrun", "forsaken", "-n", installation.namespace, "--wait=true")
        assert pods_go(installation, "forsaken")
        assert installation.leases_of(run) == []
    finally:
        kubectl("scale", *operator, "--replicas=1")
    ref = f"refs/runs/{run['metadata']['uid']}/a1/heads/{run['status']['branch']}"
    deadline = time.monotonic() + 60
    while not installation.git(run, "for-each-ref", ref):
        assert time.monotonic() < deadline, "its work was never imported"
        time.sleep(0.5)
    assert installation.git(run, "show", f"{ref}:begun.txt") == "started\n"
