"""`autopack autopilot`."""

from __future__ import annotations

import click

from autopack_cli.local.commands.supervisor import supervise_command


@click.group("autopilot", short_help="Execute runs: autopilot supervise.")
def autopilot_group() -> None:
    """Execute runs."""


autopilot_group.add_command(supervise_command)
