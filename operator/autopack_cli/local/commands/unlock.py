"""`autopack unlock`."""

from __future__ import annotations

from pathlib import Path

import click

from autopack_cli.shared.output import echo
from autopack_cli.shared.params import place_options, places


@click.command("unlock", short_help="Free a run whose executor is gone.")
@click.argument("run_id")
@place_options
def unlock_command(run_id: str, source_repo: Path | None, autonomous_runs_dir: Path | None) -> None:
    """Free the executor lock and the workspace lease of a run whose executor is gone for good.

    Locks of processes that ended on this machine free themselves. This is for holders that cannot be asked, such as
    one on a machine that is gone. A live process of this machine keeps its locks: end it first.
    """
    from autopack.errors import AutopackError
    from autopack.executor_lock import ExecutorLockManager
    from autopack.file_layout import RunFileLayout
    from autopack.git.worktree_entries import common_dir
    from autopack.leases.lease import Lease
    from autopack.occupancy import Occupancy
    from autopack.workspace_lease import WorkspaceLease

    settings = places(source_repo, autonomous_runs_dir)
    layout = RunFileLayout(run_id, base_dir=settings.runs_dir)
    leases: dict[str, Lease] = {
        "executor lock": ExecutorLockManager(run_id, layout.lock_path.parent),
        "workspace lease": WorkspaceLease(layout.workspace_dir, layout.leases_dir),
    }
    try:
        leases["claim on the worktree"] = Occupancy(common_dir(settings.repo_path), layout.workspace_dir)
    except AutopackError:
        echo("no repository here: its claim on the worktree was not checked (--source-repo)")
    for name, lease in leases.items():
        holder = lease.holder()
        freed = lease.force_unlock()
        echo(f"{run_id}: {name} {f'freed, was held by {holder}' if freed else 'was free'}")
