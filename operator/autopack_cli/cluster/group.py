"""`kubectl autopack`: what a person does with runs on a cluster, with that person's own rights."""

from __future__ import annotations

import click

from autopack_cli.cluster.commands.approve import approve_command, reject_command
from autopack_cli.cluster.commands.artifacts import artifacts_group
from autopack_cli.cluster.commands.bundle import bundle_command
from autopack_cli.cluster.commands.cleanup import cleanup_command
from autopack_cli.cluster.commands.control import cancel_command, resume_command, suspend_command
from autopack_cli.cluster.commands.deliver import deliver_command, pr_command
from autopack_cli.cluster.commands.diff import diff_command
from autopack_cli.cluster.commands.doctor import doctor_command
from autopack_cli.cluster.commands.fetch import branch_command, fetch_command
from autopack_cli.cluster.commands.forecast import merge_forecast_command
from autopack_cli.cluster.commands.get import get_command
from autopack_cli.cluster.commands.logs import logs_command
from autopack_cli.cluster.commands.retry import retry_command
from autopack_cli.cluster.commands.submit import submit_command
from autopack_cli.cluster.commands.unlock import unlock_command
from autopack_cli.cluster.commands.watch import watch_command
from autopack_cli.shared.completion import completion_command

__all__ = ["cluster_group"]


@click.group(
    "cluster",
    short_help="Runs on Kubernetes: what `kubectl autopack` does.",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 all is well, 1 what was asked about failed, 2 bad input or environment, 3 not there, 4 not "
    "allowed, 5 the cluster does not answer, 70 a defect of Autopack.",
)
@click.version_option(package_name="autopack-operator", prog_name="kubectl autopack")
def cluster_group() -> None:
    """Many autonomous coding runs in parallel on Kubernetes, each in its own git worktree."""


for _command in (
    approve_command,
    artifacts_group,
    branch_command,
    bundle_command,
    cancel_command,
    cleanup_command,
    completion_command,
    deliver_command,
    diff_command,
    doctor_command,
    fetch_command,
    get_command,
    logs_command,
    merge_forecast_command,
    pr_command,
    reject_command,
    resume_command,
    retry_command,
    submit_command,
    suspend_command,
    unlock_command,
    watch_command,
):
    cluster_group.add_command(_command)
