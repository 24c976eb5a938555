"""What a run did to the tests: its last report beside the baseline that it began with. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass

from autopack.inside import Found
from autopack.pytest_report import PytestReport, parse_report
from autopack.test_baseline_tracker import TestBaseline
from autopack_dashboard.texts import line

_OURS = ("ci/baseline.json", "ci/retry.json")


@dataclass(frozen=True)
class Sources:
    """The artifacts that tell: paths, None where there is none."""

    baseline: str | None
    report: str | None
    retry: str | None


@dataclass(frozen=True)
class Delta:
    """Tests by what became of them, as texts that may be shown. `flaky` failed first and passed when tried again."""

    before: TestBaseline
    after: int | None
    newly_failing: list[str]
    newly_passing: list[str]
    flaky: list[str]
    new_errors: list[str]


def sources(artifacts: list[Found]) -> Sources:
    """Pick the files: `baselines/<commit>.json`, the last report of `ci/` that is not ours, the retry's."""
    paths = sorted(each.path for each in artifacts if each.link is None and each.path.endswith(".json"))
    baselines = [path for path in paths if path.startswith("baselines/")]
    reports = [path for path in paths if path.startswith("ci/") and path not in _OURS]
    retry = _OURS[1] if _OURS[1] in paths else None
    return Sources(baselines[-1] if baselines else None, reports[-1] if reports else None, retry)


def delta(baseline: bytes, report: bytes | None, retry: bytes | None) -> Delta | None:
    """Compare; None when the baseline is none. A report that cannot be read counts as absent: runs write anything."""
    try:
        before = TestBaseline.from_json(baseline.decode())
        failed_before = set(map(str, before.failing_test_ids))
        counts = (before.total_tests, before.passing_tests, before.failing_tests, before.error_tests)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if not all(isinstance(count, int) for count in counts):
        return None
    now, again = _report(report), _report(retry)
    if now is None:
        return Delta(before, None, [], [], [], [])
    passed_again = set(again.having("passed")) if again is not None else set()
    failing = set(now.having("failed", "error")) - failed_before
    return Delta(
        before,
        len(now.outcomes),
        _shown(failing - passed_again),
        _shown(set(now.having("passed")) & failed_before),
        _shown(failing & passed_again),
        _shown(set(now.collection_errors) - set(map(str, before.error_signatures))),
    )


def _report(data: bytes | None) -> PytestReport | None:
    try:
        return parse_report(json.loads(data)) if data is not None else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _shown(names: set[str]) -> list[str]:
    return [line(name) for name in sorted(names)]
