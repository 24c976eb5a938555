"""With `--proofs=all`, each test that the documents name as a proof must have passed, or the session fails.

A proof that does not exist, was deselected or skipped (in one of its cases, too) is no proof. Only those in the folders
that the session was asked for count: `make unit`, `make local` and `make e2e` check a part each. `--proofs=only` runs
nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import pytest

DOCUMENTS = ("docs/invariants.md", "docs/reliability.md")
NAMED = re.compile(r"`(tests/[\w/]+\.py(?:::\w+)+)`")


def named_in(text: str) -> list[str]:
    """Names as in `tests/unit/test_a.py::TestB::test_c`, without the cases of a parametrized test."""
    return NAMED.findall(text)


def in_folders(names: Iterable[str], folders: Sequence[str]) -> set[str]:
    """Of `names` those whose file is in one of `folders`, given relative to the repository."""
    return {name for name in names if any(name.startswith(f"{folder.rstrip('/')}/") for folder in folders)}


class Proofs:
    """Watches a session; `expected` are the names that must pass."""

    def __init__(self, expected: set[str]) -> None:
        self._expected = expected
        self._passed: set[str] = set()
        self._skipped: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = _of(report.nodeid)
        if report.skipped:
            self._skipped.add(name)
        elif report.when == "call" and report.passed:
            self._passed.add(name)

    def missing(self) -> dict[str, str]:
        """What was expected and is not proven, and why."""
        not_run = self._expected - self._passed - self._skipped
        skipped = self._expected & self._skipped
        return dict.fromkeys(skipped, "skipped") | dict.fromkeys(not_run, "did not run and pass")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.missing() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for name, why in sorted(self.missing().items()):
            terminalreporter.write_line(f"NOT PROVEN {name}: {why}", red=True)
        proven = len(self._expected) - len(self.missing())
        terminalreporter.write_line(f"{proven} of {len(self._expected)} named proofs passed")


def _of(node: str) -> str:
    return node.partition("[")[0]


def _expected(config: pytest.Config) -> set[str]:
    texts = [path.read_text() for path in map(config.rootpath.joinpath, DOCUMENTS) if path.exists()]
    return in_folders([name for text in texts for name in named_in(text)], config.args)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--proofs", choices=["all", "only"], help="fail unless every test that the documents name has run and passed"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("proofs") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Proofs(_expected(config)), "proofs")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("proofs") == "only":
        expected = _expected(config)
        items[:] = [item for item in items if _of(item.nodeid) in expected]
