"""The command line as a process, and in a repository: quick help, closed pipes, where things are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autopack.git.runner import run_git

from .conftest import Call

HEAVY = ("sqlalchemy", "alembic", "pydantic", "rich", "psycopg2", "kubernetes", "aiohttp", "jinja2", "yaml")


@pytest.mark.parametrize(
    "argv", [["--help"], ["autopilot", "supervise", "--help"], ["worktrees", "--help"], ["cluster", "get", "--help"]]
)
def test_help_imports_nothing_heavy(argv: list[str]) -> None:
    code = f"""
import sys
from autopack_cli.main import main
code = main({argv!r})
heavy = [name for name in {HEAVY!r} if name in sys.modules]
sys.exit(f'imported {{heavy}}' if heavy else code)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: autopack" in done.stdout


@pytest.mark.parametrize("module", ["autopack.cli", "autopack"])
def test_it_can_be_called_as_a_module(module: str) -> None:
    done = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("autopack, version")


def test_a_closed_pipe_is_told_on_stderr(here: Path) -> None:
    for number in range(30):
        run_git(["worktree", "add", "-q", "--detach", str(here / f"tree-{number}")], cwd=here / "repo")
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "autopack.cli", "worktrees", "list", "--source-repo", "repo"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 2
    assert done.stderr == "autopack: standard output was closed before everything was written\n"


def test_worktrees_are_listed_in_the_seeds_form(call: Call, here: Path) -> None:
    run_git(["worktree", "add", "-q", "--detach", str(here / "tree")], cwd=here / "repo")
    lines = call("autopilot", "supervise", "--list-worktrees", "--source-repo", "repo").out.splitlines()
    assert lines[0] == "Found 2 worktrees:"
    assert f"  {here}/tree" in lines
    assert "    Branch: main" in lines
    assert "    Branch: (detached)" in lines


def test_the_repository_and_the_folder_of_runs_come_from_the_environment(
    call: Call, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOPACK_REPO_PATH", str(here / "repo"))
    monkeypatch.setenv("AUTONOMOUS_RUNS_DIR", str(here / "elsewhere"))
    assert call("worktrees", "list").code == 0
    assert call("unlock", "a").out.splitlines()[0] == "a: executor lock was free"
