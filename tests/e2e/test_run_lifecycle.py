"""One AutopackRun on the real kubelet: success, failure, refusal."""

from __future__ import annotations

import hashlib
import json
import re

from scripts.deploy import kubectl

from tests.e2e.installation import ANCHOR, Installation, condition, kept, make_run, phase

COMMIT = "echo change >> README.md; git commit -qam 'Change the readme'; echo out; echo err >&2; echo dirty > dirty.txt"


def test_a_run_succeeds_and_its_commit_is_in_the_shared_repository(installation: Installation) -> None:
    installation.apply(make_run("success", COMMIT + "; echo 1 > $AUTOPACK_ARTIFACTS/ci/report.txt"))
    run = installation.finished("success")
    status = run["status"]
    assert (status["phase"], status["attempt"]) == ("Succeeded", 1)
    assert installation.git(run, "rev-parse", status["ref"]).strip() == status["commit"]
    assert installation.git(run, "log", "-1", "--format=%s", status["ref"]).strip() == "Change the readme"
    assert installation.git(run, "merge-base", "--is-ancestor", status["sha"], status["commit"]) == ""


def test_uncommitted_work_is_saved_as_a_snapshot(installation: Installation) -> None:
    installation.apply(make_run("dirty", COMMIT))
    run = installation.finished("dirty")
    uid = run["metadata"]["uid"]
    assert installation.git(run, "show", f"refs/runs/{uid}/a1/snapshot:dirty.txt") == "dirty\n"


def test_logs_and_artifacts_are_on_the_volume_with_their_checksums(installation: Installation) -> None:
    installation.apply(make_run("artifacts", COMMIT + "; echo 1 > $AUTOPACK_ARTIFACTS/ci/report.txt"))
    run = installation.finished("artifacts")
    folder = run["status"]["artifacts"]
    assert installation.file(f"{folder}/logs/stdout.log") == "out\n"
    assert installation.file(f"{folder}/logs/stderr.log") == "err\n"
    text = installation.file(f"{kept(run)}/manifest.json")
    assert hashlib.sha256(text.encode()).hexdigest() == run["status"]["manifestSHA256"]
    sums = {entry["path"]: entry["sha256"] for entry in json.loads(text)["files"]}
    assert sums["ci/report.txt"] == hashlib.sha256(b"1\n").hexdigest()


def test_any_name_is_the_users_under_the_artifacts_folder(installation: Installation) -> None:
    names = ("result.json", "manifest.json", "exit.json", "results.bundle", "workspace.json", "fenced.json")
    script = (
        "cd $AUTOPACK_ARTIFACTS; for name in {}; do echo mine > $name; done; sleep 2; cd - >/dev/null; touch late.txt"
    )
    installation.apply(make_run("own-names", script.format(" ".join(names))))
    run = installation.finished("own-names")
    assert (phase(run), run["status"]["reason"]) == ("Succeeded", "Completed")
    assert "late.txt" in installation.git(run, "ls-tree", "--name-only", run["status"]["snapshot"])
    listed = json.loads(installation.file(f"{kept(run)}/manifest.json"))["files"]
    assert set(names) < {entry["path"] for entry in listed}
    for name in names:
        assert installation.file(f"{run['status']['artifacts']}/{name}") == "mine\n"


def test_all_conditions_are_told(installation: Installation) -> None:
    installation.apply(make_run("conditions", "true"))
    run = installation.finished("conditions")
    kinds = ("AnchorApproved", "PodScheduled", "WorktreeReady", "ArtifactsCommitted", "Succeeded")
    assert {kind: condition(run, kind)[0] for kind in kinds} == dict.fromkeys(kinds, "True")
    assert condition(run, "LeaseHeld") == ("False", "Released")


def test_leases_are_held_while_it_runs_and_gone_afterwards(installation: Installation) -> None:
    installation.apply(make_run("leases", "sleep 3"))
    running = installation.wait_for("autopackrun", "leases", lambda body: phase(body) == "Running")
    assert installation.leases_of(running) == [f"run-{running['metadata']['uid']}"]
    finished = installation.finished("leases")
    assert installation.leases_of(finished) == []


def test_a_failing_command_fails_the_run_with_its_exit_code(installation: Installation) -> None:
    installation.apply(make_run("failing", "echo broken >&2; exit 7"))
    run = installation.finished("failing")
    assert (phase(run), run["status"]["reason"], run["status"]["exitCode"]) == ("Failed", "CommandFailed", 7)
    assert installation.file(f"{run['status']['artifacts']}/logs/stderr.log") == "broken\n"
    assert installation.leases_of(run) == []
    assert len(installation.pods_of("failing")) == 1


def test_a_run_without_an_anchor_is_refused_and_gets_no_pod(installation: Installation) -> None:
    installation.apply(make_run("unapproved", "true", anchor=None))
    run = installation.finished("unapproved")
    assert (phase(run), run["status"]["reason"]) == ("Refused", "AnchorAbsent")
    assert condition(run, "AnchorApproved") == ("False", "AnchorAbsent")
    assert installation.pods_of("unapproved") == []
    assert installation.leases_of(run) == []


def test_an_anchor_that_forbids_parallelism_refuses(installation: Installation) -> None:
    installation.apply(make_run("forbidden", "true", anchor=ANCHOR.replace("true", "false")))
    assert installation.finished("forbidden")["status"]["reason"] == "ParallelismNotAllowed"
    assert installation.pods_of("forbidden") == []


def test_an_anchor_may_stand_in_a_configmap(installation: Installation) -> None:
    configmap = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "project-anchor"},
        "data": {"anchor.json": ANCHOR},
    }
    installation.apply(configmap, make_run("by-configmap", "true", anchor="configmap/project-anchor"))
    assert phase(installation.finished("by-configmap")) == "Succeeded"


def test_a_missing_ref_fails_the_run_before_any_pod(installation: Installation) -> None:
    source = {"repository": "sample", "ref": "no-such-branch"}
    installation.apply(make_run("no-ref", "true", source=source))
    run = installation.finished("no-ref")
    assert (phase(run), run["status"]["reason"]) == ("Failed", "RefNotFound")
    assert installation.pods_of("no-ref") == []


def test_an_image_that_the_profile_does_not_allow_is_refused(installation: Installation) -> None:
    installation.apply(make_run("bad-image", "true", image="docker.io/evil/miner:latest"))
    assert installation.finished("bad-image")["status"]["reason"] == "ImageNotAllowed"


def test_the_table_has_the_columns_a_user_wants(installation: Installation) -> None:
    installation.apply(make_run("columns", "true"))
    installation.finished("columns")
    header, row = kubectl("get", "autopackruns", "columns", "-n", installation.namespace).splitlines()
    assert header.split() == ["NAME", "PHASE", "REASON", "ATTEMPT", "BATCH", "DURATION", "AGE"]
    assert re.match(r"columns\s+Succeeded\s+Completed\s+1\s+\d+s\s+\d+s", row)
