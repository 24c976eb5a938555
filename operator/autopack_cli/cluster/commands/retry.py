"""`kubectl autopack retry`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from autopack_cli.cluster.access import Access
from autopack_cli.cluster.options import access_options, output_option, run_in_cluster
from autopack_cli.shared.output import echo

if TYPE_CHECKING:
    from autopack_cli.cluster.session import Session


@click.command("retry", short_help="Create a new batch of the runs that failed, or a new run.")
@click.argument("name")
@click.option("--as", "new_name", metavar="NAME", help="Name of what is created. Default: NAME-retry-1, -2 …")
@click.option("--dry-run", is_flag=True, help="Print the YAML; create nothing.")
@output_option("json", "yaml")
@access_options
def retry_command(name: str, new_name: str | None, output: str | None, access: Access, *, dry_run: bool) -> int:
    """Make a new batch of a finished batch's failed runs, or a new run like one that failed.

    What is finished never changes: its work, logs and objects stay. The new runs start from the beginning.
    """

    async def work(session: Session) -> None:
        from autopack_cli.cluster.again import free_name, manifest_of
        from autopack_cli.cluster.output import show_data
        from autopack_cli.cluster.targets import WORDS, find

        found = await find(session, name)
        chosen = new_name or await free_name(session, found)
        manifest = manifest_of(found, chosen)
        if not dry_run:
            manifest = await session.create(found.resource, manifest)
        if dry_run or output:
            show_data(manifest, output or "yaml")
        else:
            echo(f"{WORDS[found.resource]}/{chosen} created")

    return run_in_cluster(access, work)
