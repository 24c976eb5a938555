"""`kubectl autopack cleanup`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from autopack.phases import TERMINAL_PHASES
from autopack_cli.cluster.access import Access
from autopack_cli.cluster.options import access_options, run_in_cluster
from autopack_cli.shared.output import echo
from autopack_cli.shared.params import Duration

if TYPE_CHECKING:
    from autopack_cli.cluster.session import Session
    from autopack_operator.domain.api.common import JsonDict


@click.command("cleanup", short_help="Delete finished runs and batches by age; files stay.")
@click.option(
    "--older-than", type=Duration(bare=False), required=True, help="Only what finished at least this long ago: 12h, 7d."
)
@click.option(
    "--phase",
    "phases",
    type=click.Choice([str(phase) for phase in TERMINAL_PHASES]),
    multiple=True,
    help="Only what ended in this way; may be repeated. Default: all.",
)
@click.option("--dry-run", is_flag=True, help="Only list what would be deleted.")
@access_options
def cleanup_command(older_than: float, phases: tuple[str, ...], access: Access, *, dry_run: bool) -> int:
    """Delete finished batches (with their runs) and finished runs of their own, by age.

    What they left on the volume stays: commits, snapshots, artifacts, logs. `branch` and `logs` need the run's object,
    so fetch first what you want by name.
    """

    async def work(session: Session) -> None:
        from autopack_cli.cluster.session import BATCHES, RUNS
        from autopack_cli.cluster.targets import Found

        now, done = datetime.now(UTC), 0
        for kind in (BATCHES, RUNS):
            for body in await session.list(kind):
                if not is_old(body, now, older_than, phases):
                    continue
                found = Found(kind, body)
                gone = dry_run or await session.delete(kind, body, unchanged=True)
                done += gone
                word = "would be deleted" if dry_run else "deleted" if gone else "has changed and is kept"
                echo(f"{found.title} {word}")
        if not done:
            click.echo("nothing has been finished for that long", err=True)

    return run_in_cluster(access, work)


def is_old(body: JsonDict, now: datetime, seconds: float, phases: tuple[str, ...]) -> bool:
    """Tell whether an object is finished for so long, and no part of a batch."""
    from autopack_cli.cluster.tables import status, terminal
    from autopack_operator.domain.times import seconds_between

    finished = status(body, "finishedAt") or body["metadata"].get("creationTimestamp")
    owned = any(owner.get("controller") for owner in body["metadata"].get("ownerReferences") or ())
    chosen = not phases or status(body, "phase") in phases
    return bool(terminal(body) and chosen and not owned and finished and seconds_between(finished, now) >= seconds)
