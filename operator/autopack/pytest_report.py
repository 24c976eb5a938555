"""Running pytest for its JSON report, and reading such reports (the format of pytest-json-report)."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import AutopackError, printable

_BAD = frozenset({"failed", "error"})
_LONGEST_SIGNATURE = 200


class ReportMissing(AutopackError, FileNotFoundError):  # noqa: N818 - says a state
    """Pytest wrote no report, or something that is none."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__("ReportMissing", message, fix)
        self.args = (message, fix)


@dataclass(frozen=True)
class PytestReport:
    """The outcome of each test by node id, and what went wrong while collecting.

    `signatures` say in one line why a test or a collector (a file, mostly) had an error.
    """

    outcomes: Mapping[str, str] = field(default_factory=dict)
    collection_errors: Mapping[str, str] = field(default_factory=dict)
    collected: frozenset[str] = frozenset()
    signatures: Mapping[str, str] = field(default_factory=dict)

    def having(self, *outcomes: str) -> list[str]:
        """Return the node ids with one of these outcomes, sorted."""
        return sorted(nodeid for nodeid, outcome in self.outcomes.items() if outcome in outcomes)


def read_report(path: Path) -> PytestReport:
    """Read a report file; raises ReportMissing if there is none or it cannot be understood."""
    try:
        document = json.loads(path.read_bytes())
        return parse_report(document)
    except FileNotFoundError as error:
        fix = "Is the plugin pytest-json-report installed where pytest runs?"
        raise ReportMissing(f"pytest wrote no report to {printable(str(path))}", fix) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        message = f"{printable(str(path))} is not a report of pytest-json-report"
        raise ReportMissing(message, "Remove it and run the tests again") from error


def parse_report(document: Mapping[str, Any]) -> PytestReport:
    """Return what a report says. Raises KeyError, TypeError or AttributeError if it is none."""
    tests = document.get("tests", [])
    outcomes = {test["nodeid"]: test["outcome"] for test in tests}
    signatures = {test["nodeid"]: _signature(test) for test in tests if test["outcome"] == "error"}
    collectors = {one["nodeid"]: one for one in document.get("collectors", []) if one.get("nodeid")}
    errors = {
        nodeid: "COLLECT:" + _first_line(one.get("longrepr"), "Collection error")
        for nodeid, one in collectors.items()
        if one.get("outcome") not in (None, "passed", "skipped")
    }
    collected = frozenset(nodeid for nodeid, one in collectors.items() if one.get("outcome") == "passed")
    return PytestReport(outcomes, errors, collected, signatures)


def _signature(test: Mapping[str, Any]) -> str:
    """Return the first line of what the phase that broke said."""
    for phase in ("setup", "call", "teardown"):
        said = test.get(phase) or {}
        if said.get("outcome") in _BAD:
            return _first_line(said.get("longrepr") or (said.get("crash") or {}).get("message"), "Unknown error")
    return "Unknown error"


def _first_line(text: object, otherwise: str) -> str:
    lines = str(text or "").strip().splitlines()
    return lines[0][:_LONGEST_SIGNATURE] if lines else otherwise


def pytest_command() -> list[str]:
    """Return how pytest is called: this interpreter's if it can write reports, else the one on the PATH."""
    if importlib.util.find_spec("pytest") and importlib.util.find_spec("pytest_jsonreport"):
        return [sys.executable, "-m", "pytest"]
    return ["pytest"]


def run_pytest(command: Sequence[str], tests: Sequence[str], workspace: Path, report: Path, timeout: float) -> None:
    """Run pytest on `tests` (paths or node ids) in `workspace` and have it write `report`; failing tests are no error.

    Its output goes to a `.log` file beside the report; an older report is removed first, so that it cannot pass for
    the new one. Raises subprocess.TimeoutExpired after `timeout` seconds, when all it started has been killed, and
    ReportMissing when pytest cannot be started.
    """
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    options = ["--json-report", f"--json-report-file={report}", "--tb=line", "-q", "-p", "no:cacheprovider"]
    # Nor compiled files: the workspace is to be as it was.
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    with report.with_suffix(".log").open("wb") as log:
        try:
            process = subprocess.Popen(
                [*command, *options, "--", *tests],
                cwd=workspace,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        except OSError as error:
            message = f"pytest cannot be started: {error.strerror}"
            raise ReportMissing(message, "Install pytest and pytest-json-report") from error
        try:
            process.wait(timeout)
        finally:
            # Also what tests left running: it would write into the workspace of whoever comes next.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
