"""`kubectl autopack doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from autopack_cli.cluster.access import Access
from autopack_cli.cluster.options import access_options, output_option, run_in_cluster

if TYPE_CHECKING:
    from autopack_cli.cluster.session import Session


@click.command("doctor", short_help="Check the installation, and say how to fix what is wrong.")
@click.option("--repository", metavar="URL", help="Also tell whether this repository can be fetched, and how.")
@output_option("json", "yaml")
@access_options
def doctor_command(repository: str | None, output: str | None, access: Access) -> int:
    """Check the installation in a namespace, and say how to fix what is wrong. Changes nothing.

    Exit codes: 0 nothing is broken, 1 something is.
    """

    async def work(session: Session) -> int:
        from autopack_cli.cluster.checks import Level
        from autopack_cli.cluster.examination import examine
        from autopack_cli.cluster.output import show_data, show_lines
        from autopack_cli.cluster.tables import aligned

        found = await examine(session, repository)
        if output:
            show_data([one._asdict() | {"level": one.level.lower()} for one in found], output)
        else:
            lines = aligned([[one.level, one.name, one.found] for one in found])
            for one, line in zip(found, lines, strict=True):
                show_lines([line, *([f"          fix: {one.fix}"] if one.fix else [])])
        return 1 if any(one.level is Level.FAIL for one in found) else 0

    return run_in_cluster(access, work)
