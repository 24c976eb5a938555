"""The command line itself: exit codes, defects, arguments."""

from __future__ import annotations

import click
import pytest

from autopack_cli.shared.failures import guarded
from autopack_cli.shared.params import Duration, Size

from .conftest import Call


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


@pytest.mark.parametrize("older_than", ["5", "1.5", "soon"])
def test_an_age_has_a_unit(call: Call, older_than: str) -> None:
    said = call("worktrees", "cleanup", "--older-than", older_than)
    assert said.code == 2
    assert "is not a duration such as 30m or 7d" in said.err


def test_a_time_limit_may_be_in_seconds_and_a_size_in_bytes() -> None:
    assert Duration().convert("90", None, None) == 90
    assert Size().convert("1024", None, None) == 1024
