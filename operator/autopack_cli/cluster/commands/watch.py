"""`kubectl autopack watch`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from autopack_cli.cluster.access import Access
from autopack_cli.cluster.options import access_options, run_in_cluster

if TYPE_CHECKING:
    from autopack_cli.cluster.session import Session


@click.command("watch", short_help="Follow a batch or a run until it ends.")
@click.argument("name")
@click.option("--any-outcome", is_flag=True, help="Exit 0 once it has ended, whether it succeeded or not.")
@access_options
def watch_command(name: str, access: Access, *, any_outcome: bool) -> int:
    """Follow a batch or a run until it ends: a live table on a terminal, a line for each change elsewhere.

    Exit codes: 0 it succeeded, 1 it did not. Ctrl-C ends the watching, not the batch.
    """

    async def work(session: Session) -> int:
        from autopack_cli.cluster.following import follow
        from autopack_cli.cluster.targets import find

        code = await follow(session, await find(session, name))
        return 0 if any_outcome else code

    return run_in_cluster(access, work)
