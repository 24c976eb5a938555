"""`autopack registry rebuild`."""

from __future__ import annotations

import click

from autopack.counts import count_of
from autopack_cli.shared.output import echo


@click.command("rebuild", short_help="Rebuild a cluster's registry.")
def rebuild_command() -> None:
    """Fill the registry of a cluster again, after its database was lost: inside the operator's pod.

    Rows come from the custom resources, and those of earlier attempts from the volume's records. What is there already
    stays; doing it twice changes nothing.
    """
    from autopack_operator.rebuild import rebuild

    runs, batches = rebuild()
    echo(f"rebuilt {count_of(runs, 'run')} and {count_of(batches, 'batch')}")
