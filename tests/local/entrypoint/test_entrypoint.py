"""Runs the entrypoint's own tests, which are Go's."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[3] / "entrypoint"
pytestmark = pytest.mark.skipif(shutil.which("go") is None, reason="no Go toolchain")


def go(*args: str) -> str:
    env = os.environ | {"GOFLAGS": "-buildvcs=false", "CGO_ENABLED": "0"}
    done = subprocess.run(["go", *args], cwd=SOURCES, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_own_tests_pass() -> None:
    assert "ok" in go("test", "./...")


def test_vet_finds_nothing() -> None:
    go("vet", "./...")


def test_the_sources_are_formatted() -> None:
    assert subprocess.run(["gofmt", "-l", "."], cwd=SOURCES, capture_output=True, check=True).stdout == b""


def test_it_needs_nothing_but_the_standard_library() -> None:
    assert "require" not in (SOURCES / "go.mod").read_text()
