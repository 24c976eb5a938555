"""docs/cli.md says what the commands say."""

from __future__ import annotations

import click
import pytest
from scripts.generate_cli_docs import TARGET, UndocumentedOptionError, rendered

from .conftest import Call


def test_the_page_is_what_the_commands_say_now() -> None:
    assert TARGET.read_text("utf-8") == rendered(), "run: make generate"


def test_a_command_that_is_added_anywhere_appears_by_itself() -> None:
    @click.group("top")
    def top() -> None:
        """Top."""

    @top.group("middle")
    def middle() -> None:
        """Middle."""

    @middle.command("leaf")
    @click.option("--kind", type=click.Choice(["a", "b"]), default="a", show_default=True, help="Of which <kind>.")
    def leaf(kind: str) -> None:
        """Leaf."""

    page = rendered(top, "top")
    assert "## top middle leaf\n\n    top middle leaf [OPTIONS]\n\nLeaf.\n" in page
    assert r"| `--kind [a\|b]` | Of which \<kind>. [default: a] |" in page


def test_an_option_without_help_is_not_documented_silently() -> None:
    @click.command("bare")
    @click.option("--mystery")
    def bare(mystery: str) -> None:
        """Bare."""

    with pytest.raises(UndocumentedOptionError, match="bare --mystery"):
        rendered(bare, "bare")


def test_every_command_of_the_page_can_be_called(call: Call) -> None:
    commands = [line.removeprefix("## autopack").split() for line in rendered().splitlines() if line.startswith("## ")]
    assert ["autopilot", "supervise"] in commands
    assert all(call(*command, "--help").code == 0 for command in commands)
