"""`kubectl autopack`: what a person does with runs on a cluster, with that person's own rights."""

from __future__ import annotations

import click

from autopack_cli.shared.lazy import LazyGroup

__all__ = ["cluster_group"]

_AT = "autopack_cli.cluster.commands."


@click.group(
    "cluster",
    cls=LazyGroup,
    commands_at={
        "artifacts": (f"{_AT}artifacts:artifacts_group", "What a run wrote: ls, get."),
        "branch": (f"{_AT}fetch:branch_command", "List the branches that runs left."),
        "cancel": (f"{_AT}control:cancel_command", "Stop runs or batches for good; their work is kept."),
        "cleanup": (f"{_AT}cleanup:cleanup_command", "Delete finished runs and batches by age; files stay."),
        "completion": ("autopack_cli.shared.completion:completion_command", "Print a shell's completion script."),
        "diff": (f"{_AT}diff:diff_command", "Show what a run changed."),
        "doctor": (f"{_AT}doctor:doctor_command", "Check the installation, and say how to fix what is wrong."),
        "fetch": (f"{_AT}fetch:fetch_command", "Fetch runs' branches into your clone."),
        "get": (f"{_AT}get:get_command", "Show runs and batches."),
        "logs": (f"{_AT}logs:logs_command", "Show what a run prints, while it runs and afterwards."),
        "merge-forecast": (
            f"{_AT}forecast:merge_forecast_command",
            "Show which runs' branches merge cleanly, and in which order.",
        ),
        "resume": (f"{_AT}control:resume_command", "Let suspended runs or batches continue."),
        "retry": (f"{_AT}retry:retry_command", "Create a new batch of the runs that failed, or a new run."),
        "submit": (f"{_AT}submit:submit_command", "Create a batch from run ids, a matrix or a file of tasks."),
        "suspend": (f"{_AT}control:suspend_command", "Suspend runs or batches; their work is kept."),
        "unlock": (f"{_AT}unlock:unlock_command", "Release the Lease of a run whose executor is proven to be gone."),
        "watch": (f"{_AT}watch:watch_command", "Follow a batch or a run until it ends."),
    },
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 all is well, 1 what was asked about failed, 2 bad input or environment, 3 not there, 4 not "
    "allowed, 5 the cluster does not answer, 70 a defect of Autopack.",
)
@click.version_option(package_name="autopack-operator", prog_name="kubectl autopack")
def cluster_group() -> None:
    """Many autonomous coding runs in parallel on Kubernetes, each in its own git worktree."""
