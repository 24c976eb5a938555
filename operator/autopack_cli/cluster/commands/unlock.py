"""`kubectl autopack unlock`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from autopack_cli.cluster.access import Access
from autopack_cli.cluster.options import access_options, run_in_cluster
from autopack_cli.shared.output import echo

if TYPE_CHECKING:
    from autopack_cli.cluster.session import Session


@click.command("unlock", short_help="Release the Lease of a run whose executor is proven to be gone.")
@click.argument("run")
@click.option("--dry-run", is_flag=True, help="Only say what would be released, and why.")
@access_options
def unlock_command(run: str, access: Access, *, dry_run: bool) -> int:
    """Release the Lease of a run whose executor is proven to be gone.

    The operator does so by itself. This is for Leases that were left when it could not: their holder is proven to be
    gone when its pod has stopped with all its containers, or when the run is finished, which it is only after that.
    Silence, and a pod that was deleted by force, prove nothing; then nothing is released.
    """

    async def work(session: Session) -> int:
        from autopack_cli.cluster.holders import leases_of, pods_of, verdict
        from autopack_cli.cluster.session import LEASES
        from autopack_cli.cluster.targets import find_run

        body = await find_run(session, run)
        leases = await leases_of(session, body)
        if not leases:
            echo(f"run/{body['metadata']['name']} holds no Lease")
            return 0
        pods, code = await pods_of(session, body), 0
        for lease in leases:
            gone, why = verdict(body, lease, pods)
            name = lease["metadata"]["name"]
            if not gone:
                click.echo(f"lease {name} stays: {why}", err=True)
                code = 1
            elif dry_run:
                echo(f"lease {name} would be released: {why}")
            else:
                released = await session.delete(LEASES, lease, unchanged=True)
                echo(f"lease {name} {'released' if released else 'has a new holder and is kept'}: {why}")
        return code

    return run_in_cluster(access, work)
