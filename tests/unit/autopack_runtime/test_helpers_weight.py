"""What every run's pod starts twice: each import is paid for by every run, in processor time and in waiting."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("argparse", "asyncio", "dataclasses", "inspect", "logging", "pydantic", "secrets", "socket", "tempfile")
"""Modules that take as long to import as all of a helper's own, or bring such ones with them."""


@pytest.mark.parametrize("helper", ["workspace", "keeper"])
def test_a_helper_imports_nothing_heavy(helper: str) -> None:
    code = f"import sys; from autopack_runtime import main, {helper}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert f"autopack_runtime.{helper}" in loaded
    assert loaded.intersection(HEAVY) == set()
