"""A further attempt goes on from what the one before it left, on the real kubelet."""

from __future__ import annotations

import time

from scripts.deploy import kubectl

from tests.e2e.installation import Installation, kept, make_run, phase
from tests.e2e.processes import kill_pod
from tests.e2e.test_run_control import patch

BEGIN = "echo one > one.txt; git add one.txt; git commit -qm one; echo two > one.txt; echo new > new.txt"
CHECK = 'test "$(git status --porcelain)" = " M one.txt\n?? new.txt"; test "$(cat one.txt new.txt)" = "two\nnew"'
GO_ON = f"if test $AUTOPACK_ATTEMPT = 1; then {BEGIN}; {{end}}; fi; {CHECK}; git log --format=%s -1 | grep -qx one"


def wait_for_snapshot(installation: Installation, name: str) -> None:
    """Return once the keeper has saved what the command left uncommitted."""
    run = installation.wait_for("autopackrun", name, lambda body: phase(body) == "Running")
    bundle = f"/autopack/{kept(run)}/results.bundle"
    deadline = time.monotonic() + 30
    while "refs/autopack/" not in installation.in_volume("sh", "-c", f"git bundle list-heads {bundle} 2>&1 || true"):
        assert time.monotonic() < deadline, "no snapshot"
        time.sleep(0.2)


def test_a_retry_begins_with_commits_and_uncommitted_files(installation: Installation) -> None:
    retry = {"agent": 1, "backoffSeconds": 1}
    installation.apply(make_run("resumed", GO_ON.format(end="exit 75"), retry=retry))
    run = installation.finished("resumed")
    assert (phase(run), run["status"]["attempt"]) == ("Succeeded", 2)
    uid = run["metadata"]["uid"]
    first = installation.git(run, "rev-parse", f"refs/runs/{uid}/a1/snapshot").strip()
    assert run["status"]["resumedFrom"] == first
    assert installation.git(run, "show", f"{run['status']['snapshot']}:new.txt") == "new\n"


def test_a_pod_that_is_killed_loses_at_most_what_came_after_its_last_snapshot(installation: Installation) -> None:
    retry = {"infrastructure": 2, "agent": 1, "backoffSeconds": 1}
    installation.apply(make_run("struck", GO_ON.format(end="sleep 120"), retry=retry))
    wait_for_snapshot(installation, "struck")
    kill_pod(installation.get("autopackrun", "struck")["metadata"]["uid"], 1)
    kubectl("delete", "pod", "struck-a1", "-n", installation.namespace, "--grace-period=0", "--force", "--wait=false")
    run = installation.finished("struck")
    assert (phase(run), run["status"]["attempt"]) == ("Succeeded", 2)
    assert installation.leases_of(run) == []


def test_a_retry_from_the_source_begins_anew(installation: Installation) -> None:
    script = "if test $AUTOPACK_ATTEMPT = 1; then touch left; exit 1; fi; test ! -e left"
    retry = {"agent": 1, "backoffSeconds": 1, "startFrom": "Source"}
    installation.apply(make_run("afresh", script, retry=retry))
    run = installation.finished("afresh")
    assert (phase(run), run["status"]["attempt"]) == ("Succeeded", 2)
    assert "resumedFrom" not in run["status"]


def test_a_suspended_run_goes_on_where_it_was(installation: Installation) -> None:
    installation.apply(make_run("halted", GO_ON.format(end="sleep 120"), retry={"startFrom": "Source"}))
    wait_for_snapshot(installation, "halted")
    patch(installation, "autopackrun", "halted", '{"suspend":true}')
    installation.wait_for("autopackrun", "halted", lambda body: body["status"]["reason"] == "Suspended")
    patch(installation, "autopackrun", "halted", '{"suspend":false}')
    run = installation.finished("halted")
    assert (phase(run), run["status"]["attempt"]) == ("Succeeded", 2)
