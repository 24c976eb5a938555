"""Batches: order, workers, skipping what is done, stopping, and what is written about them."""

from __future__ import annotations

import json
import shutil
import threading
from io import StringIO
from pathlib import Path

import pytest
from tests.local.supervisor.scene import Scene, anchor, is_running, python
from tests.local.workspaces.repos import git

from autopack.errors import AutopackError, InvalidInput
from autopack.progress import PlainProgress
from autopack.supervisor import (
    ParallelismPolicyViolation,
    ParallelRunSupervisor,
    SupervisorError,
    SupervisorOptions,
    run_parallel_supervised,
)

TRACE = """
import os, pathlib, time
trace = pathlib.Path(os.environ['AUTONOMOUS_RUNS_DIR']) / 'trace'
with trace.open('a') as file: file.write('+\\n')
# As many as may begin do so before the first one ends, however busy the machine is.
late = time.monotonic() + 30
while trace.read_text().count('+') < 3 and time.monotonic() < late: time.sleep(0.05)
time.sleep(0.5)
with trace.open('a') as file: file.write('-\\n')
"""


def test_never_more_runs_at_once_than_workers(scene: Scene) -> None:
    results = scene.supervisor(SupervisorOptions(command=python(TRACE))).execute_parallel(list("abcdef"), 3)
    at_once = [0]
    for line in (scene.runs / "trace").read_text().split():
        at_once.append(at_once[-1] + (1 if line == "+" else -1))
    assert list(results) == list("abcdef")
    assert (max(at_once), at_once[-1]) == (3, 0)


def test_one_failure_does_not_touch_the_others(scene: Scene) -> None:
    code = "import os; raise SystemExit(os.environ['AUTOPACK_RUN_ID'] == 'b')"
    result = run_parallel_supervised(
        run_ids=["a", "b", "c"],
        anchor_path=scene.anchor,
        source_repo=scene.repo,
        autonomous_runs_dir=str(scene.runs),
        per_run_sqlite=True,
        options=SupervisorOptions(command=python(code)),
    )
    assert (result.total_runs, result.successful_runs, result.failed_runs) == (3, 2, 1)
    assert not result.all_successful
    assert (result.get_failed_run_ids(), result.get_successful_run_ids()) == (["b"], ["a", "c"])


def test_what_succeeded_is_not_executed_again_unless_asked(scene: Scene) -> None:
    code = "import os; raise SystemExit(os.environ['AUTOPACK_RUN_ID'] == 'b')"
    scene.supervisor(SupervisorOptions(command=python(code))).execute_parallel(["a", "b"])
    again = scene.supervisor(SupervisorOptions(command=python("pass"))).execute_parallel(["a", "b"])
    assert [(run.success, run.skipped, run.attempt) for run in again.values()] == [(True, True, 1), (True, False, 2)]
    options = SupervisorOptions(command=python("pass"), redo_existing=True)
    redone = scene.supervisor(options).execute_parallel(["a", "b"])
    assert [(run.skipped, run.attempt) for run in redone.values()] == [(False, 2), (False, 3)]


WRITES_A_RESULT = """
import json, os, pathlib, sys
text = json.dumps({'run_id': 'a', 'attempt': 1, 'state': 'Succeeded', 'at': '2026-01-06T00:00:00+00:00'})
place = pathlib.Path(os.environ['AUTOPACK_ARTIFACTS'], 'result.json')
before = place.read_text() if place.exists() else None
print(json.dumps(before == text))
place.write_text(text)
sys.exit(os.environ['AUTOPACK_ATTEMPT'] == '1')
"""


def test_a_result_file_that_the_command_writes_is_an_artifact_and_no_answer_of_ours(scene: Scene) -> None:
    for attempt, success in ((1, False), (2, True)):
        results = scene.supervisor(SupervisorOptions(command=python(WRITES_A_RESULT))).execute_parallel(["a"])
        assert (results["a"].success, results["a"].skipped, results["a"].attempt) == (success, False, attempt)
        # The second attempt found what the first had left.
        assert json.loads(scene.stdout("a")) == success
    again = scene.supervisor(SupervisorOptions(command=python(WRITES_A_RESULT))).execute_parallel(["a"])
    assert again["a"].skipped
    assert json.loads((scene.runs / "a/result.json").read_bytes())["attempt"] == 1
    assert (scene.result("a")["attempt"], scene.result("a")["state"]) == (2, "Succeeded")


@pytest.mark.parametrize("succeeded", [True, False])
def test_results_of_before_they_had_a_place_of_their_own_are_read(scene: Scene, succeeded: bool) -> None:
    options = SupervisorOptions(command="true" if succeeded else "false")
    scene.supervisor(options).execute_parallel(["a"])
    kept = scene.runs / ".kept/a"
    old = scene.runs / "a/result.json"
    (kept / "result.json").rename(old)
    kept.rmdir()
    again = scene.supervisor(options).execute_parallel(["a"])["a"]
    assert (again.skipped, again.attempt) == (succeeded, 1 if succeeded else 2)
    assert old.exists() == succeeded
    assert (kept / "result.a1.json").exists() == (not succeeded)


def test_a_run_whose_artifacts_were_deleted_is_executed_again(scene: Scene) -> None:
    options = SupervisorOptions(command="true")
    scene.supervisor(options).execute_parallel(["a"])
    shutil.rmtree(scene.runs / "a")
    again = scene.supervisor(options).execute_parallel(["a"])["a"]
    assert (again.success, again.skipped, again.attempt) == (True, False, 2)


def test_a_damaged_result_counts_as_none(scene: Scene) -> None:
    scene.supervisor(SupervisorOptions(command=python("pass"))).execute_parallel(["a"])
    (scene.runs / ".kept/a/result.json").write_text('{"state": "Succee')
    again = scene.supervisor(SupervisorOptions(command=python("pass"))).execute_parallel(["a"])
    assert again["a"].attempt == 2


def test_results_are_written_as_json_lines_with_a_summary(scene: Scene, tmp_path: Path) -> None:
    code = "import os; print('secret'); raise SystemExit(os.environ['AUTOPACK_RUN_ID'] == 'b')"
    options = SupervisorOptions(command=python(code), results_file=tmp_path / "out/results.jsonl")
    scene.supervisor(options).execute_parallel(["a", "b"])
    lines = [json.loads(line) for line in (tmp_path / "out/results.jsonl").read_text().splitlines()]
    assert {line["run_id"]: (line["success"], line["exit_code"]) for line in lines} == {"a": (True, 0), "b": (False, 1)}
    summary = json.loads((tmp_path / "out/results.summary.json").read_bytes())
    assert (summary["total"], summary["succeeded"], summary["failed_run_ids"]) == (2, 1, ["b"])
    assert summary["finished_at"]
    assert not summary["interrupted"]
    assert "secret" not in (tmp_path / "out/results.jsonl").read_text()


class BrokenProgress(PlainProgress):
    """Fails where the supervisor does not expect it."""

    def started(self, run_id: str, attempt: int) -> None:
        if run_id == "a":
            raise ZeroDivisionError

    def finished(self, run_id: str, *, success: bool, skipped: bool, seconds: float, detail: str) -> None:
        if run_id == "c":
            raise ZeroDivisionError


def test_a_defect_in_one_run_does_not_touch_the_others(scene: Scene) -> None:
    supervisor = scene.supervisor(SupervisorOptions(command=python("pass")), BrokenProgress(StringIO()))
    results = supervisor.execute_parallel(["a", "b"])
    assert [(run.success, run.reason) for run in results.values()] == [(False, "InternalError"), (True, None)]


C_ENDS_AFTER_B_BEGAN = """
import os, pathlib, time
began = pathlib.Path(os.environ['AUTONOMOUS_RUNS_DIR']) / 'began'
print(os.getpid(), flush=True)
if os.environ['AUTOPACK_RUN_ID'] == 'b':
    began.touch()
    time.sleep(60)
while not began.exists(): time.sleep(0.05)
"""


def test_a_batch_that_breaks_leaves_no_process_behind(scene: Scene) -> None:
    supervisor = scene.supervisor(SupervisorOptions(command=python(C_ENDS_AFTER_B_BEGAN)), BrokenProgress(StringIO()))
    with pytest.raises(ZeroDivisionError):
        supervisor.execute_parallel(["b", "c"])
    assert not is_running(int(scene.stdout("b")))
    assert scene.result("b")["state"] == "Canceled"


def test_the_limits_are_said_before_the_first_run_starts(scene: Scene) -> None:
    shown = StringIO()
    supervisor = scene.supervisor(SupervisorOptions(command=python("pass")), PlainProgress(shown))
    supervisor.execute_parallel([f"run-{number}" for number in range(6)], 6)
    before, _, _ = shown.getvalue().partition("started")
    assert "workers: 6 on " in before
    assert "memory: 3.0 GiB to 6.0 GiB expected" in before
    assert "a worktree, " in before
    assert "warning: per-run SQLite is meant for 2-4 workers" in before


def test_a_repository_that_cannot_tell_its_size_is_no_reason_to_refuse(scene: Scene) -> None:
    scene.git("config", "uploadpack.allowFilter", "true")
    clone = scene.root / "partial"
    filtered = ("--filter=blob:none", "--no-checkout")
    git(scene.root, "clone", "-q", *filtered, f"file://{scene.repo}", str(clone))
    objects = git(clone, "count-objects", "-v")
    shown = StringIO()
    options, progress = SupervisorOptions(command="true"), PlainProgress(shown)
    supervisor = ParallelRunSupervisor(clone, None, scene.runs, True, options=options, progress=progress)
    assert list(supervisor.execute_parallel(["a"])) == ["a"]
    assert "disk: the size of a worktree is unknown" in shown.getvalue()
    assert "a: started" in shown.getvalue()
    assert git(clone, "count-objects", "-v") == objects


def test_starts_are_spread_by_the_jitter(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autopack.supervisor.batch.random.uniform", lambda _low, high: high)
    code = "import pathlib, os, time; pathlib.Path(os.environ['AUTOPACK_ARTIFACTS'], 'at').write_text(str(time.time()))"
    scene.supervisor(SupervisorOptions(command=python(code), start_jitter=2)).execute_parallel(["a", "b"], 1)
    first, second = (float((scene.runs / run_id / "at").read_text()) for run_id in ("a", "b"))
    assert second - first >= 2


def test_supervisors_in_threads_of_one_process_do_not_disturb_each_other(scene: Scene) -> None:
    def run(names: str) -> None:
        results = scene.supervisor(SupervisorOptions(command=python("pass"))).execute_parallel(list(names))
        assert all(result.success for result in results.values()), results

    threads = [threading.Thread(target=run, args=(names,)) for names in ("abc", "def")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {path.name for path in scene.runs.glob(".kept/?/result.json")} == {"result.json"}
    assert len(list(scene.runs.glob(".kept/?/result.json"))) == 6


@pytest.mark.parametrize(
    ("allowed", "most", "message"),
    [(False, 8, r"allowed=false"), (True, 1, r"2 parallel runs exceed max_concurrent_runs=1")],
)
def test_the_anchor_is_asked_before_anything_is_touched(scene: Scene, allowed: bool, most: int, message: str) -> None:
    scene.anchor.write_text(json.dumps(anchor(allowed, most)))
    with pytest.raises(ParallelismPolicyViolation, match=message):
        run_parallel_supervised(
            run_ids=["a", "b"], anchor_path=scene.anchor, source_repo=scene.repo, autonomous_runs_dir=str(scene.runs)
        )
    assert not scene.runs.exists()


def test_one_shared_sqlite_file_is_refused(scene: Scene) -> None:
    with pytest.raises(SupervisorError, match=r"require Postgres.*--per-run-sqlite"):
        ParallelRunSupervisor(scene.repo, f"sqlite:///{scene.root}/shared.db", str(scene.runs))


@pytest.mark.parametrize("run_ids", [["a", "a"], ["a", "A"], ["../a"], [""], ["a/../../b"], ["a\n"], ["$(id)"]])
def test_bad_run_ids_are_refused_together_before_work(scene: Scene, run_ids: list[str]) -> None:
    with pytest.raises(InvalidInput, match=r"run_ids?: "):
        scene.supervisor(SupervisorOptions(command=python("pass"))).execute_parallel(["good", *run_ids])
    assert not scene.runs.exists()


def test_ids_that_would_share_a_folder_elsewhere_are_kept_apart(scene: Scene) -> None:
    code = "import os; print(os.environ['AUTOPACK_RUN_ID'], os.getcwd())"
    results = scene.supervisor(SupervisorOptions(command=python(code))).execute_parallel(["a/b", "a-b"])
    places = {result.stdout for result in results.values()}
    assert len(places) == 2
    assert all(result.success for result in results.values())


@pytest.mark.parametrize(
    ("field", "value"),
    [("timeout", 0), ("timeout", -1), ("timeout", float("nan")), ("timeout", 2.0**63), ("start_jitter", -1)],
)
def test_times_that_make_no_sense_are_refused(field: str, value: float) -> None:
    with pytest.raises(InvalidInput, match=field):
        SupervisorOptions(**{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("workers", [0, -1, 10**6])
def test_worker_counts_that_make_no_sense_are_refused(scene: Scene, workers: int) -> None:
    with pytest.raises(InvalidInput, match="workers"):
        scene.supervisor(SupervisorOptions(command=python("pass"))).execute_parallel(["a"], workers)


def test_a_missing_anchor_is_said(scene: Scene) -> None:
    with pytest.raises(AutopackError, match="cannot be read"):
        run_parallel_supervised(run_ids=["a"], anchor_path=scene.root / "absent.json", source_repo=scene.repo)
