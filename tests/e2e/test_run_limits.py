"""What bounds a run, on the real kubelet: deadline, grace period, quota, memory, database, time to live."""

from __future__ import annotations

import time
from typing import Any

import pytest
from scripts.deploy import CommandError, kubectl

from tests.e2e.installation import Installation, make_run, phase
from tests.e2e.test_run_control import patch, pods_go, wait_until_it_works


def make_profile(installation: Installation, name: str, **spec: Any) -> dict[str, Any]:
    """A RunProfile like the default one, with other limits."""
    default = installation.get("runprofile", "default")
    return {
        "apiVersion": default["apiVersion"],
        "kind": "RunProfile",
        "metadata": {"name": name},
        "spec": default["spec"] | spec,
    }


def outcome(body: dict[str, Any]) -> tuple[str, str, int]:
    return phase(body), body["status"]["reason"], body["status"]["attempt"]


def test_a_deadline_ends_a_run_whose_attempts_never_end(installation: Installation) -> None:
    installation.apply(make_run("overdue", "echo kept > kept.txt; sleep 120", activeDeadlineSeconds=20))
    run = installation.finished("overdue")
    assert outcome(run) == ("Failed", "DeadlineExceeded", 1)
    assert installation.git(run, "show", f"{run['status']['snapshot']}:kept.txt") == "kept\n"
    assert pods_go(installation, "overdue")


def test_a_command_that_ignores_its_grace_period_is_killed_and_its_work_is_kept(installation: Installation) -> None:
    deaf = "trap '' TERM; echo kept > kept.txt; while :; do sleep 1; done"
    installation.apply(make_run("deaf", deaf, terminationGracePeriodSeconds=2))
    wait_until_it_works(installation, "deaf")
    patch(installation, "autopackrun", "deaf", '{"cancel":true}')
    run = installation.finished("deaf")
    assert outcome(run) == ("Canceled", "Canceled", 1)
    assert installation.git(run, "show", f"{run['status']['snapshot']}:kept.txt") == "kept\n"


def test_a_run_beyond_its_quota_is_stopped_and_its_work_is_kept(installation: Installation) -> None:
    fill = "echo kept > kept.txt; while :; do head -c 1000000 /dev/urandom >> fill; sleep 0.2; done"
    installation.apply(
        make_profile(installation, "small", diskQuota="8Mi"),
        make_run("greedy", fill, profileRef={"name": "small"}, retry={"exitCodes": [75], "agent": 3}),
    )
    run = installation.finished("greedy")
    assert outcome(run) == ("Failed", "DiskQuotaExceeded", 1)
    assert installation.git(run, "show", f"{run['status']['snapshot']}:kept.txt") == "kept\n"


def test_a_run_out_of_memory_is_tried_again(installation: Installation) -> None:
    hog = "test $AUTOPACK_ATTEMPT = 2 || exec python3 -c \"x = b'a' * (1 << 30)\""
    limits = {"limits": {"memory": "64Mi"}, "requests": {"memory": "32Mi"}}
    installation.apply(
        make_profile(installation, "lean", resources=limits),
        make_run("hog", hog, profileRef={"name": "lean"}, retry={"infrastructure": 1, "backoffSeconds": 1}),
    )
    run = installation.finished("hog")
    assert outcome(run) == ("Succeeded", "Completed", 2)
    assert run["status"]["failures"] == {"infrastructure": 1, "agent": 0}


def test_only_the_listed_exit_codes_are_worth_another_attempt(installation: Installation) -> None:
    retry = {"agent": 3, "exitCodes": [75], "backoffSeconds": 1}
    installation.apply(make_run("codes", "test $AUTOPACK_ATTEMPT = 2 && exit 9; exit 75", retry=retry))
    run = installation.finished("codes")
    assert (*outcome(run), run["status"]["exitCode"]) == ("Failed", "CommandFailed", 2, 9)


def test_a_database_reaches_the_command_and_nobody_else(installation: Installation) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "postgres"}}
    secret["stringData"] = {"dsn": "postgresql://user:word@host/db"}
    installation.apply(
        secret,
        make_profile(installation, "stateful", database={"secretName": "postgres", "key": "dsn"}),
        make_run(
            "stateful",
            'test "$DATABASE_URL" = postgresql://user:word@host/db',
            profileRef={"name": "stateful"},
            databaseMode="Postgres",
        ),
    )
    assert outcome(installation.finished("stateful")) == ("Succeeded", "Completed", 1)
    operator = f"system:serviceaccount:{installation.namespace}:autopack-operator"
    with pytest.raises(CommandError, match="no"):
        kubectl("auth", "can-i", "get", "secrets", "--as", operator, "-n", installation.namespace)


def test_a_finished_run_goes_when_its_time_is_over_and_its_files_stay(installation: Installation) -> None:
    kept = {"succeeded": 3, "failed": 3600}
    write = "echo report > $AUTOPACK_ARTIFACTS/ci/report"
    installation.apply(
        make_run("brief", write, ttlSecondsAfterFinished=kept),
        make_run("lasting", "exit 1", ttlSecondsAfterFinished=kept),
    )
    # From its claim on, and first: on a busy machine it may be gone before the other has ended.
    run = installation.wait_for("autopackrun", "brief", lambda body: body.get("status", {}).get("artifacts"))
    installation.finished("lasting")
    deadline = time.monotonic() + 30
    while installation.all("autopackruns", "") and any(
        body["metadata"]["name"] == "brief" for body in installation.all("autopackruns")
    ):
        assert time.monotonic() < deadline, "the run is still there"
        time.sleep(0.3)
    assert installation.file(f"{run['status']['artifacts']}/ci/report") == "report\n"
    assert phase(installation.get("autopackrun", "lasting")) == "Failed"
