"""The command line. Exit codes: 0 all is well, 1 some runs failed, 2 bad input or environment, 70 a defect of ours."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from autopack_cli.shared.failures import guarded
from autopack_cli.shared.lazy import LazyGroup

__all__ = ["PLUGIN", "cli", "main"]

PLUGIN = "kubectl-autopack"


@click.group(
    cls=LazyGroup,
    commands_at={
        "autopilot": ("autopack_cli.local.commands.autopilot:autopilot_group", "Execute runs: autopilot supervise."),
        "cluster": (
            "autopack_cli.cluster.group:cluster_group",
            "Runs on Kubernetes: what `kubectl autopack` does.",
        ),
        "completion": ("autopack_cli.shared.completion:completion_command", "Print a shell's completion script."),
        "dashboard": ("autopack_cli.local.commands.dashboard:dashboard_command", "Show runs in a browser."),
        "diff": ("autopack_cli.local.commands.diff:diff_command", "Show what a run changed."),
        "merge-forecast": (
            "autopack_cli.local.commands.merge_forecast:merge_forecast_command",
            "Show which finished branches merge cleanly, and in which order.",
        ),
        "registry": (
            "autopack_cli.local.commands.registry:registry_group",
            "The registry of runs: upgrade, replay, list.",
        ),
        "unlock": ("autopack_cli.local.commands.unlock:unlock_command", "Free a run whose executor is gone."),
        "worktrees": ("autopack_cli.local.commands.worktrees:worktrees_group", "The runs' worktrees: list, cleanup."),
    },
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 all is well, 1 some runs failed, 2 bad input or environment, 70 a defect of Autopack.",
)
@click.version_option(package_name="autopack-operator", prog_name="autopack")
def cli() -> None:
    """Many autonomous coding runs in parallel, each in its own git worktree."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; what goes wrong is one line on stderr, never a traceback.

    Called `kubectl-autopack`, the program is `autopack cluster`: kubectl finds plugins by such names.
    """
    arguments = sys.argv[1:] if argv is None else argv
    if Path(sys.argv[0]).name.startswith(PLUGIN):
        plugin = cli.get_command(click.Context(cli), "cluster")
        if plugin is not None:
            return guarded(plugin, arguments, "kubectl autopack")
    return guarded(cli, arguments)
