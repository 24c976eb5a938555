"""`kubectl autopack merge-forecast`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from autopack_cli.cluster.access import Access
from autopack_cli.cluster.options import access_options, output_option, run_in_cluster

if TYPE_CHECKING:
    from autopack_cli.cluster.session import Session


@click.command("merge-forecast", short_help="Show which runs' branches merge cleanly, and in which order.")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--base", metavar="REF", help="Branch to merge into. Default: the repository's default branch.")
@output_option("json", "yaml")
@access_options
def merge_forecast_command(names: tuple[str, ...], base: str | None, output: str | None, access: Access) -> int:
    """Tell which branches of runs, or of all runs of a batch, merge cleanly, and in which order.

    Every merge is tried on the volume; nothing changes there. Runs that left no commits yet are passed over.
    """

    async def work(session: Session) -> None:
        from autopack_cli.cluster.output import show_data
        from autopack_cli.cluster.problems import NOT_THERE, ClusterProblem
        from autopack_cli.cluster.tables import status
        from autopack_cli.cluster.targets import runs_of
        from autopack_cli.cluster.volume import attempt_of, forecast, open_volume
        from autopack_cli.shared.forecasts import show_forecast
        from autopack_volume.client.client import forecast_of

        runs = [run for run in await runs_of(session, names) if status(run, "commit")]
        if not runs:
            raise ClusterProblem("none of these runs has left commits (yet)", NOT_THERE)
        async with open_volume(session) as volume:
            found = await forecast(volume, [attempt_of(run) for run in runs], base)
        titles = {f"{run['metadata']['uid']}/{status(run, 'attempt')}": status(run, "branch") for run in runs}
        if output:
            show_data(found, output)
        else:
            uncommitted = {status(run, "branch") for run in runs if status(run, "snapshot")}
            show_forecast(forecast_of(found).named(titles), uncommitted)

    return run_in_cluster(access, work)
