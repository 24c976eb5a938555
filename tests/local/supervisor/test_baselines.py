"""The baseline tracker with real pytest in real folders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autopack.errors import InvalidInput
from autopack.pytest_report import ReportMissing
from autopack.test_baseline_tracker import TestBaseline, TestBaselineTracker

SHA = "a" * 40
OTHER_SHA = "b" * 40

MIXED = """
import pytest

def test_good(): pass
def test_bad(): assert False
@pytest.mark.skip
def test_skipped(): pass
@pytest.fixture
def broken(): raise RuntimeError("no fixture")
def test_error(broken): pass
"""


@pytest.fixture(autouse=True)
def runs_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTONOMOUS_RUNS_DIR", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "ws/tests").mkdir(parents=True)
    # Its own root: pytest must not take the settings of the project under test.
    (tmp_path / "ws/pytest.ini").write_text("[pytest]\n")
    write_tests(tmp_path / "ws", {"test_mixed.py": MIXED})
    return tmp_path / "ws"


def write_tests(workspace: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (workspace / "tests" / name).write_text(content)


def baseline_with(failing: list[str] | None = None, errors: dict[str, str] | None = None) -> TestBaseline:
    return TestBaseline("run-1", SHA, datetime(2026, 1, 6, tzinfo=UTC), 0, 0, 0, 0, 0, failing or [], errors or {})


def report_of(workspace: Path, tracker: TestBaselineTracker, runs_dir: Path) -> Path:
    """Run the tests of a workspace as it is now, and return the report."""
    tracker.capture_baseline("now", OTHER_SHA)
    (tracker.cache_dir / f"{OTHER_SHA}.json").unlink()
    report = runs_dir / "current.json"
    (runs_dir / "run-1/ci/baseline.json").rename(report)
    return report


def test_a_baseline_counts_every_outcome(workspace: Path) -> None:
    write_tests(workspace, {"test_syntax.py": "def broken(:\n"})
    baseline = TestBaselineTracker(workspace, run_id="run-1").capture_baseline("run-1", SHA)
    assert (baseline.error_tests, list(baseline.error_signatures)) == (1, ["tests/test_syntax.py"])
    (workspace / "tests/test_syntax.py").unlink()
    baseline = TestBaselineTracker(workspace, run_id="run-1").capture_baseline("run-1", OTHER_SHA)
    assert (baseline.total_tests, baseline.passing_tests, baseline.failing_tests) == (4, 1, 1)
    assert (baseline.error_tests, baseline.skipped_tests) == (1, 1)
    assert baseline.failing_test_ids == ["tests/test_mixed.py::test_bad", "tests/test_mixed.py::test_error"]
    assert "no fixture" in baseline.error_signatures["tests/test_mixed.py::test_error"]


def test_a_run_writes_only_into_its_own_folders_and_not_into_the_workspace(workspace: Path, runs_dir: Path) -> None:
    before = sorted(workspace.rglob("*"))
    TestBaselineTracker(workspace, run_id="run-1").capture_baseline("run-1", SHA)
    written = {str(path.relative_to(runs_dir)) for path in runs_dir.rglob("*") if path.is_file()}
    assert written == {"run-1/ci/baseline.json", "run-1/ci/baseline.log", f"run-1/baselines/{SHA}.json"}
    assert sorted(workspace.rglob("*")) == before


def test_without_a_run_id_the_paths_are_the_shared_ones_of_earlier_versions(workspace: Path, runs_dir: Path) -> None:
    TestBaselineTracker(workspace).capture_baseline("run-1", SHA)
    assert (workspace / ".autonomous_runs/baseline.json").exists()
    assert (runs_dir / f"baselines/{SHA}.json").exists()


def test_two_runs_at_once_keep_their_results_apart(tmp_path: Path, workspace: Path) -> None:
    other = tmp_path / "other"
    (other / "tests").mkdir(parents=True)
    (other / "pytest.ini").write_text("[pytest]\n")
    write_tests(other, {"test_one.py": "def test_one(): pass\n"})
    found: dict[str, TestBaseline] = {}

    def capture(run_id: str, place: Path) -> None:
        found[run_id] = TestBaselineTracker(place, run_id=run_id).capture_baseline(run_id, SHA)

    threads = [threading.Thread(target=capture, args=pair) for pair in (("run-1", workspace), ("run-2", other))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found["run-1"].total_tests, found["run-2"].total_tests) == (4, 1)


def test_the_cache_spares_a_second_capture_and_damage_to_it_does_no_harm(workspace: Path) -> None:
    tracker = TestBaselineTracker(workspace, run_id="run-1")
    first = tracker.capture_baseline("run-1", SHA)
    write_tests(workspace, {"test_more.py": "def test_more(): pass\n"})
    assert tracker.capture_baseline("run-1", SHA) == first
    (tracker.cache_dir / f"{SHA}.json").write_text(first.to_json()[:50])
    assert tracker.capture_baseline("run-1", SHA).total_tests == first.total_tests + 1


def test_a_baseline_survives_json() -> None:
    baseline = baseline_with(["t.py::a"], {"t.py": "COLLECT:x"})
    assert TestBaseline.from_json(baseline.to_json()) == baseline
    assert json.loads(baseline.to_json())["commit_sha"] == SHA


def test_old_failures_are_not_new_and_repaired_ones_are_said(workspace: Path, runs_dir: Path) -> None:
    tracker = TestBaselineTracker(workspace, run_id="run-1")
    baseline = baseline_with(["tests/test_mixed.py::test_error", "tests/test_mixed.py::test_good"])
    delta = tracker.diff(baseline, report_of(workspace, tracker, runs_dir))
    assert delta.newly_failing == ["tests/test_mixed.py::test_bad"]
    assert delta.newly_passing == ["tests/test_mixed.py::test_good"]


def test_flaky_tests_and_flaky_imports_pass_the_second_time(workspace: Path, runs_dir: Path) -> None:
    once = "import pathlib\nmark = pathlib.Path('{0}')\nfirst = not mark.exists()\nmark.touch()\n"
    write_tests(
        workspace,
        {
            "test_flaky.py": once.format("flaky") + "def test_flaky(): assert not first\n",
            "test_always.py": "def test_always(): assert False\n",
        },
    )
    tracker = TestBaselineTracker(workspace, run_id="run-1")
    report = report_of(workspace, tracker, runs_dir)
    old = baseline_with(["tests/test_mixed.py::test_bad", "tests/test_mixed.py::test_error"])
    delta = tracker.compute_full_delta(old, report, workspace)
    assert delta.flaky_suspects == ["tests/test_flaky.py::test_flaky"]
    assert delta.newly_failing_persistent == ["tests/test_always.py::test_always"]
    assert delta.regression_severity == "low"
    assert (runs_dir / "run-1/ci/retry.json").exists()


def test_a_file_that_cannot_be_collected_twice_is_persistent(workspace: Path, runs_dir: Path) -> None:
    once = (
        "import pathlib\nmark = pathlib.Path('imported')\nif not mark.exists():\n    mark.touch()\n    raise OSError\n"
    )
    write_tests(workspace, {"test_syntax.py": "def broken(:\n", "test_import.py": once + "def test_one(): pass\n"})
    tracker = TestBaselineTracker(workspace, run_id="run-1")
    report = report_of(workspace, tracker, runs_dir)
    delta = tracker.compute_full_delta(baseline_with(), report, workspace)
    assert delta.new_collection_errors == ["tests/test_import.py", "tests/test_syntax.py"]
    assert delta.new_collection_errors_persistent == ["tests/test_syntax.py"]
    assert delta.flaky_suspects == ["tests/test_import.py"]


def test_a_timeout_ends_everything_the_tests_have_started(workspace: Path, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    child = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    slow = f"import subprocess, sys\ndef test_slow(): subprocess.run([sys.executable, '-c', {child!r}])\n"
    write_tests(workspace, {"test_slow.py": slow})
    with pytest.raises(subprocess.TimeoutExpired):
        TestBaselineTracker(workspace, run_id="run-1").capture_baseline("run-1", SHA, timeout=10)
    deadline = time.monotonic() + 60
    while is_running(int(pid_file.read_text())):
        assert time.monotonic() < deadline, "the child is still there"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_a_retry_that_never_ends_counts_as_failed(workspace: Path) -> None:
    write_tests(workspace, {"test_slow.py": "import time\ndef test_slow(): time.sleep(60)\n"})
    tracker = TestBaselineTracker(workspace, run_id="run-1")
    assert tracker.retry_newly_failing(["tests/test_slow.py::test_slow"], workspace, timeout=1) == {
        "tests/test_slow.py::test_slow": "failed"
    }
    assert tracker.retry_newly_failing([], workspace) == {}


@pytest.mark.parametrize("sha", ["../../etc/passwd", "", "main", "a" * 65])
def test_what_is_no_commit_id_is_refused(workspace: Path, sha: str) -> None:
    with pytest.raises(InvalidInput, match="commit_sha"):
        TestBaselineTracker(workspace, run_id="run-1").capture_baseline("run-1", sha)


def test_a_pytest_without_the_plugin_is_said(workspace: Path) -> None:
    blocked = [sys.executable, "-m", "pytest", "-p", "no:pytest_jsonreport"]
    with pytest.raises(ReportMissing, match="pytest-json-report"):
        TestBaselineTracker(workspace, run_id="run-1", command=blocked).capture_baseline("run-1", SHA)
    with pytest.raises(ReportMissing, match="cannot be started"):
        TestBaselineTracker(workspace, run_id="run-1", command=["no-such-program"]).capture_baseline("run-1", SHA)
