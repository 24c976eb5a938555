"""The command line. Exit codes: 0 all is well, 1 some runs failed, 2 bad input or environment, 70 a defect of ours."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from autopack_cli.cluster.commands.rebuild import rebuild_command
from autopack_cli.cluster.group import cluster_group
from autopack_cli.local.commands.autopilot import autopilot_group
from autopack_cli.local.commands.dashboard import dashboard_command
from autopack_cli.local.commands.deliver import deliver_command
from autopack_cli.local.commands.diff import diff_command
from autopack_cli.local.commands.merge_forecast import merge_forecast_command
from autopack_cli.local.commands.registry import registry_group
from autopack_cli.local.commands.unlock import unlock_command
from autopack_cli.local.commands.worktrees import worktrees_group
from autopack_cli.shared.completion import completion_command
from autopack_cli.shared.failures import guarded

__all__ = ["PLUGIN", "cli", "main"]

PLUGIN = "kubectl-autopack"


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 all is well, 1 some runs failed, 2 bad input or environment, 70 a defect of Autopack.",
)
@click.version_option(package_name="autopack-operator", prog_name="autopack")
def cli() -> None:
    """Many autonomous coding runs in parallel, each in its own git worktree."""


# The one command about the registry that needs a cluster: the rooms do not know each other.
registry_group.add_command(rebuild_command)
for _command in (
    autopilot_group,
    cluster_group,
    completion_command,
    dashboard_command,
    deliver_command,
    diff_command,
    merge_forecast_command,
    registry_group,
    unlock_command,
    worktrees_group,
):
    cli.add_command(_command)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; what goes wrong is one line on stderr, never a traceback.

    Called `kubectl-autopack`, the program is `autopack cluster`: kubectl finds plugins by such names.
    """
    arguments = sys.argv[1:] if argv is None else argv
    if Path(sys.argv[0]).name.startswith(PLUGIN):
        return guarded(cluster_group, arguments, "kubectl autopack")
    return guarded(cli, arguments)
