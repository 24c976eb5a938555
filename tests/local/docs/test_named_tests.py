"""`--proofs=all` fails a session in which a test that the documents name did not run and pass."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.named_tests import in_folders

ROOT = Path(__file__).resolve().parents[3]
TESTS = """
import pytest

def test_plain(): pass

def test_deselected(): pass

@pytest.mark.parametrize("case", [1, 2])
def test_cases(case): pass

@pytest.mark.parametrize("case", [1, 2])
def test_one_case_skipped(case):
    if case == 2:
        pytest.skip("not here")

@pytest.mark.skip
def test_skipped(): pass

@pytest.mark.xfail
def test_expected_to_fail(): assert False

class TestBackend:
    def test_method(self): pass
"""
PROVEN = ("test_plain", "test_cases", "TestBackend::test_method")
NOT_PROVEN = {
    "test_absent": "did not run and pass",
    "test_deselected": "did not run and pass",
    "test_expected_to_fail": "skipped",
    "test_method": "did not run and pass",
    "test_one_case_skipped": "skipped",
    "test_skipped": "skipped",
}


def played(project: Path, *named: str, proofs: str = "all") -> tuple[int, list[str], int]:
    """The exit code of a session in which `named` are the proofs, what it says of them, and how many tests passed."""
    (project / "docs").mkdir()
    (project / "docs/invariants.md").write_text("".join(f"- `tests/unit/test_a.py::{name}`\n" for name in named))
    (project / "tests/unit").mkdir(parents=True)
    (project / "tests/unit/test_a.py").write_text(TESTS)
    (project / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib -p tests.named_tests\n")
    words = ["tests/unit", f"--proofs={proofs}", "--deselect", "tests/unit/test_a.py::test_deselected"]
    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words], cwd=project, env=env, capture_output=True, text=True, check=False
    )
    said = [line for line in done.stdout.splitlines() if "PROVEN" in line or "named proofs" in line]
    return done.returncode, said, int(re.findall(r"(\d+) passed", done.stdout)[-1])


def test_a_session_in_which_all_passed_is_green(tmp_path: Path) -> None:
    assert played(tmp_path, *PROVEN) == (0, ["3 of 3 named proofs passed"], 5)


def test_what_did_not_run_and_pass_fails_the_session(tmp_path: Path) -> None:
    expected = [f"NOT PROVEN tests/unit/test_a.py::{name}: {why}" for name, why in NOT_PROVEN.items()]
    assert played(tmp_path, *PROVEN, *NOT_PROVEN) == (1, [*expected, "3 of 9 named proofs passed"], 5)


def test_proofs_can_be_run_alone(tmp_path: Path) -> None:
    assert played(tmp_path, "test_cases", proofs="only") == (0, ["1 of 1 named proofs passed"], 2)


@pytest.mark.parametrize(
    ("folders", "counted"),
    [(["tests/unit"], {"tests/unit/a.py::test"}), (["tests/uni", "tests/local/"], {"tests/local/b.py::test"})],
)
def test_folders_that_were_not_asked_for_do_not_count(folders: list[str], counted: set[str]) -> None:
    assert in_folders(["tests/unit/a.py::test", "tests/local/b.py::test"], folders) == counted
