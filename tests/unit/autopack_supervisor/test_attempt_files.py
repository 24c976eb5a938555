"""The files of a run's attempts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from autopack.file_layout import RunFileLayout
from autopack.phases import Phase
from autopack.registry.events import RunRecord
from autopack.supervisor.attempt_files import log_paths, read_result, result_path, set_aside_earlier, write_result
from autopack.supervisor.models import RunResult, SupervisorResult


@pytest.fixture
def layout(tmp_path: Path) -> RunFileLayout:
    layout = RunFileLayout("run-1", base_dir=tmp_path)
    layout.ensure_directories()
    return layout


FACTS = RunRecord("run-1", 2, Phase.FAILED, "2026-01-06T00:00:00+00:00", exit_code=3, message="no")


def test_a_result_can_be_read_back(layout: RunFileLayout) -> None:
    write_result(layout, FACTS)
    assert read_result(layout) == FACTS


def test_what_could_not_be_saved_can_be_read_back(layout: RunFileLayout) -> None:
    facts = replace(FACTS, saved="partly", unsaved=({"path": "huge", "bytes": 1 << 40, "reason": "no room"},))
    write_result(layout, facts)
    assert read_result(layout) == facts


def test_a_result_of_another_run_is_none_of_this_one(layout: RunFileLayout, tmp_path: Path) -> None:
    write_result(layout, FACTS)
    other = RunFileLayout("run-2", base_dir=tmp_path)
    other.ensure_directories()
    set_aside_earlier(other)
    result_path(layout).rename(result_path(other))
    assert read_result(other) is None


def test_earlier_attempts_are_kept_under_names_of_their_own(layout: RunFileLayout) -> None:
    for attempt in ("one", "two", "three"):
        set_aside_earlier(layout)
        for path in log_paths(layout):
            path.write_text(attempt)
    names = {path.name: path.read_text() for path in layout.logs_dir.iterdir() if path.name.startswith("stdout")}
    assert names == {"stdout.a1.log": "one", "stdout.a2.log": "two", "stdout.log": "three"}


def test_a_crash_between_two_renames_overwrites_nothing(layout: RunFileLayout) -> None:
    stdout, stderr, _ = log_paths(layout)
    stdout.with_name("stdout.a1.log").write_text("one")
    stderr.write_text("one")
    set_aside_earlier(layout)
    stdout.write_text("two")
    set_aside_earlier(layout)
    assert stdout.with_name("stdout.a1.log").read_text() == "one"
    assert stdout.with_name("stdout.a2.log").read_text() == "two"


def test_results_can_be_had_by_name_as_in_earlier_versions() -> None:
    result = RunResult("run-1", success=True, exit_code=0)
    assert (result["run_id"], result["success"], result.get("error"), "stdout" in result) == ("run-1", True, None, True)
    with pytest.raises(KeyError):
        result["get"]


def test_a_supervisors_result_counts() -> None:
    runs = {name: RunResult(name, success=name != "b", exit_code=0) for name in "abc"}
    result = SupervisorResult(runs)
    assert (result.total_runs, result.successful_runs, result.failed_runs, result.all_successful) == (3, 2, 1, False)
    assert (result.get_failed_run_ids(), result.get_successful_run_ids()) == (["b"], ["a", "c"])
