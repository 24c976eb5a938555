"""Reading reports of pytest-json-report, and judging deltas."""

from __future__ import annotations

from pathlib import Path

import pytest

from autopack.pytest_report import ReportMissing, parse_report, read_report
from autopack.test_baseline_tracker import TestDelta


def failed_in(phase: str, longrepr: str | None, message: str = "boom") -> dict[str, object]:
    said = {"outcome": "failed", "longrepr": longrepr, "crash": {"message": message}}
    return {"nodeid": "t.py::a", "outcome": "error", "setup": {"outcome": "passed"}, phase: said}


@pytest.mark.parametrize(
    ("test", "signature"),
    [
        (failed_in("setup", "E   RuntimeError: no\nmore"), "E   RuntimeError: no"),
        (failed_in("teardown", None), "boom"),
        (failed_in("call", "", ""), "Unknown error"),
        ({"nodeid": "t.py::a", "outcome": "error"}, "Unknown error"),
    ],
)
def test_the_signature_is_the_first_line_of_the_phase_that_broke(test: dict[str, object], signature: str) -> None:
    assert parse_report({"tests": [test]}).signatures == {"t.py::a": signature}


def test_files_that_cannot_be_collected_are_errors_of_their_own() -> None:
    collectors = [
        {"nodeid": "", "outcome": "failed"},
        {"nodeid": "bad.py", "outcome": "failed", "longrepr": "SyntaxError: x\ny"},
        {"nodeid": "good.py", "outcome": "passed"},
        {"nodeid": "skipped.py", "outcome": "skipped"},
    ]
    report = parse_report({"collectors": collectors})
    assert report.collection_errors == {"bad.py": "COLLECT:SyntaxError: x"}
    assert report.collected == {"good.py"}


@pytest.mark.parametrize("content", ["", "[]", '{"tests": [{}]}', '{"tests": 3}', "not json"])
def test_what_is_no_report_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / "report.json").write_text(content)
    with pytest.raises(ReportMissing, match="is not a report"):
        read_report(tmp_path / "report.json")


def test_a_missing_report_is_a_missing_file_too(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="pytest-json-report installed"):
        read_report(tmp_path / "report.json")


@pytest.mark.parametrize(
    ("count", "severity"),
    [
        (0, "none"),
        (1, "low"),
        (2, "medium"),
        (4, "medium"),
        (5, "high"),
        (9, "high"),
        (10, "critical"),
        (99, "critical"),
    ],
)
def test_severity_counts_what_failed_twice(count: int, severity: str) -> None:
    failing = [f"t{number}" for number in range(count)]
    delta = TestDelta(
        newly_failing=["first", "attempt", "only"],
        newly_failing_persistent=failing[: count // 2],
        new_collection_errors_persistent=failing[count // 2 :],
    )
    assert delta.calculate_severity() == severity
