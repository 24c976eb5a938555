"""`autopack-runtime` as pods start it: what it explains, what it imports, what it misses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    *("aiohttp", "argparse", "asyncio", "click", "dataclasses", "inspect", "jwt", "kubernetes", "logging", "pydantic"),
    *("secrets", "socket", "sqlalchemy", "tempfile"),
}
"""Modules that take as long to import as all of a helper's own, or bring such ones with them."""


@pytest.mark.parametrize("command", ["workspace", "keeper", "volume", "import-repository", "branches", "tree"])
def test_every_command_explains_itself(command: str) -> None:
    argv = [sys.executable, "-m", "autopack_runtime.main", command, "--help"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"usage: autopack-runtime {command}")


@pytest.mark.parametrize("helper", ["workspace", "keeper"])
def test_a_helper_imports_nothing_heavy(helper: str) -> None:
    code = f"import sys; from autopack_runtime import main, {helper}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert f"autopack_runtime.{helper}" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("variable", ["AUTONOMOUS_RUNS_DIR", "AUTOPACK_ALLOWED_CALLERS"])
def test_the_service_names_what_it_misses(variable: str, tmp_path: Path) -> None:
    environ = {"AUTONOMOUS_RUNS_DIR": str(tmp_path), "AUTOPACK_ALLOWED_CALLERS": "x", variable: ""}
    argv = [sys.executable, "-m", "autopack_runtime.main", "volume"]
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"autopack-runtime: {variable}")
    assert done.stderr.count("\n") == 1
