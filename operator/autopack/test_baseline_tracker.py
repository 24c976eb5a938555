"""Which tests fail because of a run and which failed before: baselines, deltas, a second chance for flaky ones."""

from __future__ import annotations

import json
import logging
import re
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from .errors import InvalidInput, printable
from .file_layout import DEFAULT_RUNS_DIR, RunFileLayout, autonomous_runs_dir
from .files import write_atomic
from .pytest_report import PytestReport, ReportMissing, pytest_command, read_report, run_pytest

logger = logging.getLogger(__name__)

_COMMIT = re.compile(r"[0-9a-fA-F]{4,64}")
_SEVERITIES = ((10, "critical"), (5, "high"), (2, "medium"), (1, "low"))


@dataclass
class TestBaseline:
    """The tests' results at one commit; `error_signatures` also has what could not be collected."""

    __test__ = False

    run_id: str
    commit_sha: str
    timestamp: datetime
    total_tests: int
    passing_tests: int
    failing_tests: int
    error_tests: int
    skipped_tests: int
    failing_test_ids: list[str] = field(default_factory=list)
    error_signatures: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return it as JSON text."""
        return json.dumps({**asdict(self), "timestamp": self.timestamp.isoformat()}, indent=2)

    @classmethod
    def from_json(cls, json_str: str) -> TestBaseline:
        """Read what `to_json` wrote; raises ValueError, KeyError or TypeError for anything else."""
        data = json.loads(json_str)
        return cls(**{**data, "timestamp": datetime.fromisoformat(data["timestamp"])})


@dataclass
class TestDelta:
    """What is different from the baseline. Persistent is what failed a second time, a flaky suspect what did not."""

    __test__ = False

    newly_failing: list[str] = field(default_factory=list)
    newly_failing_persistent: list[str] = field(default_factory=list)
    newly_passing: list[str] = field(default_factory=list)
    new_collection_errors: list[str] = field(default_factory=list)
    new_collection_errors_persistent: list[str] = field(default_factory=list)
    flaky_suspects: list[str] = field(default_factory=list)
    regression_severity: str = "none"

    def calculate_severity(self) -> str:
        """Return none, low (1 persistent failure), medium (2-4), high (5-9) or critical (10 and more)."""
        persistent = len(self.newly_failing_persistent) + len(self.new_collection_errors_persistent)
        return next((name for least, name in _SEVERITIES if persistent >= least), "none")


class TestBaselineTracker:
    """Captures baselines in `workspace` and compares later reports to them.

    With `run_id` everything it writes belongs to that run: reports in `<run>/ci/`, cached baselines in
    `<run>/baselines/<commit_sha>.json`. Without, the paths are those of earlier versions, which runs share: not for
    parallel runs. `command` is how pytest is called.
    """

    __test__ = False

    def __init__(self, workspace: Path, run_id: str | None = None, *, command: Sequence[str] | None = None) -> None:
        self.workspace = Path(workspace)
        self.run_id = run_id
        self._command = list(command or pytest_command())
        if run_id is None:
            self.cache_dir = autonomous_runs_dir() / "baselines"
            self._report_dir: Path | None = None
        else:
            layout = RunFileLayout(run_id)
            self.cache_dir = layout.baselines_dir
            self._report_dir = layout.ci_dir
        self.cache_dir.mkdir(parents=True, exist_ok=True)

    def capture_baseline(self, run_id: str, commit_sha: str, timeout: float = 120) -> TestBaseline:
        """Return the tests' results at `commit_sha`, which is checked out: from the cache, else by running them.

        Raises subprocess.TimeoutExpired after `timeout` seconds, ReportMissing if pytest wrote no report, InvalidInput
        for what is no commit id.
        """
        if not _COMMIT.fullmatch(commit_sha):
            raise InvalidInput("commit_sha", f"'{printable(commit_sha, 80)}' is not a commit id", "Give the full id")
        cached = self.cache_dir / f"{commit_sha}.json"
        try:
            return TestBaseline.from_json(cached.read_text("utf-8"))
        except FileNotFoundError:
            pass
        except (ValueError, KeyError, TypeError):
            logger.warning("the cached baseline %s is damaged; the tests are run again", cached)
        report = self._report_file("baseline", self.workspace)
        tests = ["tests/"] if (self.workspace / "tests").is_dir() else []
        run_pytest(self._command, tests, self.workspace, report, timeout)
        baseline = _baseline(read_report(report), run_id, commit_sha)
        write_atomic(cached, baseline.to_json().encode())
        return baseline

    def diff(self, baseline: TestBaseline, current_report_path: Path) -> TestDelta:
        """Compare a report to the baseline, without running anything; raises ReportMissing."""
        report = read_report(Path(current_report_path))
        failed_before, errors_before = set(baseline.failing_test_ids), set(baseline.error_signatures)
        return TestDelta(
            newly_failing=sorted(set(report.having("failed", "error")) - failed_before),
            newly_passing=sorted(set(report.having("passed")) & failed_before),
            new_collection_errors=sorted(set(report.collection_errors) - errors_before),
        )

    def retry_newly_failing(self, newly_failing: list[str], workspace: Path, timeout: float = 60) -> dict[str, str]:
        """Run tests (or files that could not be collected) once more; return `passed` or `failed` for each node id.

        What did not run again, for whatever reason, counts as failed.
        """
        if not newly_failing:
            return {}
        report_file = self._report_file("retry", Path(workspace))
        try:
            run_pytest(self._command, newly_failing, Path(workspace), report_file, timeout)
            report = read_report(report_file)
        except (subprocess.TimeoutExpired, ReportMissing) as error:
            logger.warning("the retry of %d tests gave no result: %s", len(newly_failing), error)
            report = PytestReport()
        passed = {*report.having("passed"), *(report.collected - report.collection_errors.keys())}
        return {nodeid: "passed" if nodeid in passed else "failed" for nodeid in newly_failing}

    def compute_full_delta(self, baseline: TestBaseline, current_report_path: Path, workspace: Path) -> TestDelta:
        """Compare a report to the baseline, give what is new in it a second chance, and judge how bad it is."""
        delta = self.diff(baseline, current_report_path)
        again = self.retry_newly_failing([*delta.newly_failing, *delta.new_collection_errors], workspace)
        delta.newly_failing_persistent = [one for one in delta.newly_failing if again[one] == "failed"]
        delta.new_collection_errors_persistent = [one for one in delta.new_collection_errors if again[one] == "failed"]
        delta.flaky_suspects = sorted(nodeid for nodeid, outcome in again.items() if outcome == "passed")
        delta.regression_severity = delta.calculate_severity()
        return delta

    def _report_file(self, kind: str, workspace: Path) -> Path:
        if self._report_dir is None:
            return workspace / DEFAULT_RUNS_DIR / f"{kind}.json"
        return self._report_dir / f"{kind}.json"


def _baseline(report: PytestReport, run_id: str, commit_sha: str) -> TestBaseline:
    return TestBaseline(
        run_id=run_id,
        commit_sha=commit_sha,
        timestamp=datetime.now(UTC),
        total_tests=len(report.outcomes),
        passing_tests=len(report.having("passed")),
        failing_tests=len(report.having("failed")),
        error_tests=len(report.having("error")) + len(report.collection_errors),
        skipped_tests=len(report.having("skipped")),
        failing_test_ids=report.having("failed", "error"),
        error_signatures={**report.signatures, **report.collection_errors},
    )
