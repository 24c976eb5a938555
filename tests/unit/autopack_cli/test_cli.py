"""The command line itself: quick help, exit codes, closed pipes, defects."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from autopack.git.runner import run_git
from autopack_cli.shared.failures import guarded
from autopack_cli.shared.params import Duration, Size

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


def test_every_command_in_the_help_can_be_called(call: Call) -> None:
    _, _, listing = call("--help").out.partition("Commands:\n")
    listed = [line.split()[0] for line in listing.splitlines() if line[2:3].isalpha()][:-1]
    assert "autopilot" in listed
    for name in listed:
        assert call(name, "--help").code == 0


@pytest.mark.parametrize("argv", [[], ["worktrees"], ["registry"]])
def test_a_group_without_a_command_shows_its_help_and_is_bad_input(call: Call, argv: list[str]) -> None:
    said = call(*argv)
    assert said.code == 2
    assert "Commands:" in said.out + said.err


@pytest.mark.parametrize("module", ["autopack.cli", "autopack"])
def test_it_can_be_called_as_a_module(module: str) -> None:
    done = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("autopack, version")


def test_a_defect_is_one_line_and_a_code_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def broken() -> None:
        raise RuntimeError("postgresql://user:hunter2@host\nsecond line")

    assert guarded(broken, []) == 70
    said = capsys.readouterr().err
    assert said.startswith("autopack: a defect of Autopack (RuntimeError: postgresql://***@host second line)")
    assert said.count("\n") == 1


def test_an_interrupted_command_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def slow() -> None:
        raise KeyboardInterrupt

    assert guarded(slow, []) == 1
    assert capsys.readouterr().err.strip() == "autopack: interrupted"


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


@pytest.mark.parametrize("older_than", ["5", "1.5", "soon"])
def test_an_age_has_a_unit(call: Call, older_than: str) -> None:
    said = call("worktrees", "cleanup", "--older-than", older_than)
    assert said.code == 2
    assert "is not a duration such as 30m or 7d" in said.err


def test_a_time_limit_may_be_in_seconds_and_a_size_in_bytes() -> None:
    assert Duration().convert("90", None, None) == 90
    assert Size().convert("1024", None, None) == 1024
