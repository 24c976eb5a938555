"""The pure parts: tables, progress, what is inert, where downloads go, whose Leases may be released, the doctor."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from autopack.errors import InvalidInput
from autopack_cli.cluster import checks, progress, tables
from autopack_cli.cluster.checks import Level
from autopack_cli.cluster.download import check_folders, place_of
from autopack_cli.cluster.holders import verdict
from autopack_cli.cluster.inert import inert
from autopack_cli.cluster.kubectl_complete import main as complete
from autopack_operator.domain.projection import pod_view

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def run(name: str = "r", **status: Any) -> dict[str, Any]:
    meta = {"name": name, "uid": "u1", "creationTimestamp": "2026-01-01T11:00:00Z"}
    return {"kind": "AutopackRun", "metadata": meta, "status": status}


def test_columns_stand_below_each_other() -> None:
    lines = tables.table(tables.RUN, [run("short"), run("much-longer", phase="Failed", attempt=3)], NOW)
    assert {line.index("P") for line in lines[:2]} == {14}
    assert lines[2].split() == ["much-longer", "Failed", "3", "1h0m"]


def test_a_duration_goes_on_until_the_end() -> None:
    assert tables.lasted(run(startedAt="2026-01-01T11:59:00Z"), NOW) == "1m0s"
    assert tables.lasted(run(startedAt="2026-01-01T11:59:00Z", finishedAt="2026-01-01T11:59:05Z"), NOW) == "5s"


def test_only_changes_are_worth_a_line() -> None:
    assert progress.changes({"r": "Running"}, [run(phase="Running"), run("s", phase="Failed", message="why")], NOW) == [
        "s: Failed: why"
    ]


def test_a_run_that_succeeded_is_told_with_what_its_agent_said() -> None:
    body = run(phase="Succeeded", reason="Completed", message="", summary="The file is committed.")
    assert progress.changes({}, [body], NOW) == ["r: Succeeded: The file is committed."]


def test_what_agents_used_is_in_wide_tables() -> None:
    used = {"totalTokens": 4525, "costUSD": "0.007785"}
    rows = [run("one", phase="Succeeded", usage=used, summary="Done\x1b."), run("two", usage="forged")]
    header, first, second = tables.table(tables.RUN_WIDE, rows, NOW)
    assert {"TOKENS", "COST", "SUMMARY"} <= set(header.split())
    assert first.split()[-3:] == ["4525", "0.007785", "Done\\x1b."]
    assert second.split() == ["two", "Pending", "1h0m"]
    assert tables.table(tables.BATCH_WIDE, [batch(usage=used)], NOW)[1].split()[-2:] == ["4525", "0.007785"]


def batch(**status: Any) -> dict[str, Any]:
    return run(**status) | {"kind": "RunBatch"}


def test_what_is_left_is_as_fast_as_what_was() -> None:
    begun = batch(phase="Running", total=4, succeeded=1, failed=0, startedAt="2026-01-01T11:59:00Z")
    assert progress.left_seconds(begun, NOW) == 180
    assert "about 3m0s left" in progress.summary(begun, NOW)


@pytest.mark.parametrize("status", [{}, {"phase": "Running", "total": 4, "startedAt": "2026-01-01T11:59:00Z"}])
def test_nothing_is_guessed_before_a_run_has_ended(status: dict[str, Any]) -> None:
    assert progress.left_seconds(batch(**status), NOW) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\n\ttext\r\n", "plain\n\ttext\n"),
        ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x1b[2J\x1b[6n", "\\x1b[2J\\x1b[6n"),
        ("a\rb", "a\\rb"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
    ],
)
def test_a_log_cannot_steer_a_terminal(text: str, shown: str) -> None:
    assert inert(text) == shown


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../b", "", "a//b", "a\0"])
def test_a_download_never_leads_out_of_its_folder(path: str) -> None:
    with pytest.raises(InvalidInput):
        place_of(Path("to"), path)


def test_a_download_does_not_go_through_a_symlink(tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "ci").symlink_to(tmp_path)
    with pytest.raises(InvalidInput, match="symlink"):
        check_folders(tmp_path / "to", place_of(tmp_path / "to", "ci/x"))


def lease(holder: str | None = "u1.a2") -> dict[str, Any]:
    return {"metadata": {"name": "run-u1"}, "spec": {"holderIdentity": holder}}


def pod(phase: str, *, running: bool, attempt: int = 2) -> Any:
    state = {"running": {}} if running else {"terminated": {"reason": "Completed", "exitCode": 0}}
    return pod_view(
        {
            "metadata": {
                "namespace": "n",
                "name": f"r-a{attempt}",
                "uid": "p",
                "labels": {"autopack.dev/attempt": str(attempt)},
            },
            "status": {"phase": phase, "containerStatuses": [{"name": "run", "state": state}]},
        }
    )


def test_a_holder_whose_pod_has_stopped_is_gone() -> None:
    assert verdict(run(phase="Running"), lease(), [pod("Failed", running=False)])[0]


@pytest.mark.parametrize(("phase", "running"), [("Running", True), ("Failed", True), ("Pending", False)])
def test_a_holder_whose_pod_may_run_is_not_gone(phase: str, running: bool) -> None:
    assert not verdict(run(phase="Failed"), lease(), [pod(phase, running=running)])[0]


def test_silence_proves_nothing() -> None:
    gone, why = verdict(run(phase="Running"), lease(), [pod("Succeeded", running=False, attempt=1)])
    assert not gone
    assert "proves nothing" in why


def test_a_finished_run_has_no_executor() -> None:
    assert verdict(run(phase="Canceled"), lease(), [])[0]


def test_somebody_elses_lease_is_not_released() -> None:
    assert not verdict(run(phase="Failed"), lease("someone"), [])[0]


def test_a_quota_that_is_nearly_used_up_is_said() -> None:
    quota = {
        "metadata": {"name": "q"},
        "status": {"hard": {"pods": "10", "requests.memory": "2Gi"}, "used": {"pods": "9", "requests.memory": "1Gi"}},
    }
    [found] = checks.quotas([quota])
    assert (found.level, found.found) == (Level.WARN, "q: pods 9 of 10")


def test_a_quota_that_nobody_can_read_is_passed_over() -> None:
    quota = {"metadata": {"name": "q"}, "status": {"hard": {"pods": "x"}, "used": {"pods": "9"}}}
    assert [found.level for found in checks.quotas([quota])] == [Level.OK]


def test_absent_crds_are_broken() -> None:
    assert checks.crds(None).level is Level.FAIL
    assert checks.crds(["autopackruns", "runbatches"]).found == "not served: runprofiles"
    assert checks.crds(checks.KINDS).level is Level.OK


@pytest.mark.parametrize(
    ("renewed", "level"), [(None, Level.FAIL), ("2026-01-01T11:59:50Z", Level.OK), ("2026-01-01T11:00:00Z", Level.FAIL)]
)
def test_a_leader_has_to_say_something(renewed: str | None, level: Level) -> None:
    found = None if renewed is None else {"spec": {"renewTime": renewed, "holderIdentity": "pod"}}
    assert checks.leader(found, NOW).level is level


def test_a_claim_that_waits_for_a_class_that_is_not_there() -> None:
    claim = {
        "metadata": {"name": "runs"},
        "spec": {"storageClassName": "none", "accessModes": ["ReadWriteOnce"]},
        "status": {"phase": "Pending"},
    }
    assert [(one.name, one.level) for one in checks.claims([claim], [])] == [
        ("Volume", Level.FAIL),
        ("Access mode", Level.WARN),
        ("Storage class", Level.FAIL),
    ]


def test_a_lease_of_a_run_that_is_over_is_said() -> None:
    found = {"metadata": {"name": "run-x", "ownerReferences": [{"kind": "AutopackRun", "uid": "x"}]}}
    assert checks.left_leases([found], {"x"}).level is Level.OK
    assert checks.left_leases([found], {"y"}).level is Level.WARN


@pytest.mark.parametrize(
    ("words", "first"), [(["mer"], "merge-forecast\t"), (["get", "--ba"], "--batch\t"), (["artifacts", "g"], "get\t")]
)
def test_kubectl_is_told_what_could_come_next(words: list[str], first: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert complete(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(first)
    assert lines[-1] == ":4"
