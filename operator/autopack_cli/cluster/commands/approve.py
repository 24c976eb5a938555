"""`kubectl autopack approve` and `reject`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from autopack_cli.cluster.access import Access
from autopack_cli.cluster.options import access_options, run_in_cluster
from autopack_cli.shared.output import echo

if TYPE_CHECKING:
    from autopack_cli.cluster.session import Session

_names = click.argument("names", nargs=-1, required=True, metavar="NAME...")
_message = click.option("-m", "--message", default="", metavar="TEXT", help="Why, for people.")
_commit = click.option("--commit", default="", metavar="SHA", help="Only if this is the commit that awaits approval.")


@click.command("approve", short_help="Approve the deliveries of runs.")
@_names
@_message
@_commit
@access_options
def approve_command(names: tuple[str, ...], message: str, commit: str, access: Access) -> int:
    """Approve the deliveries of runs, or of all runs of a batch that await it: this commit of each, on its branch.

    `kubectl autopack diff RUN` shows what would be delivered. Needs the verb approve on autopackruns.
    """
    return _decide(access, names, "Approved", message, commit)


@click.command("reject", short_help="Reject the deliveries of runs.")
@_names
@_message
@_commit
@access_options
def reject_command(names: tuple[str, ...], message: str, commit: str, access: Access) -> int:
    """Reject the deliveries of runs, or of all runs of a batch that await approval. Their work stays on the volume.

    Needs the verb reject on autopackruns.
    """
    return _decide(access, names, "Rejected", message, commit)


def _decide(access: Access, names: tuple[str, ...], decision: str, message: str, commit: str) -> int:
    async def work(session: Session) -> int:
        from autopack_cli.cluster.deliveries import answer, awaits_answer, delivery_of
        from autopack_cli.cluster.session import RUNS
        from autopack_cli.cluster.targets import runs_of

        runs = await runs_of(session, names)
        waiting = [run for run in runs if awaits_answer(run, decision)]
        if not waiting:
            click.echo("nothing awaits approval", err=True)
            return 1
        by = await session.username()
        for run in waiting:
            name, delivery = str(run["metadata"]["name"]), delivery_of(run)
            await session.change(RUNS, name, lambda body: answer(body, decision, by, message, commit))
            echo(f"run/{name} {decision.lower()}: {delivery.commit[:12]} on {delivery.branch}")
        return 0

    return run_in_cluster(access, work)
