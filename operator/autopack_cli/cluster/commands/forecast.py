"""`kubectl autopack merge-forecast`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from autopack_cli.cluster.access import Access
from autopack_cli.cluster.options import access_options, output_option, run_in_cluster

if TYPE_CHECKING:
    from autopack.merge_forecast import Conflict, MergeForecast
    from autopack_cli.cluster.session import Session
    from autopack_volume.contract import messages


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

        runs = [run for run in await runs_of(session, names) if status(run, "commit")]
        if not runs:
            raise ClusterProblem("none of these runs has left commits (yet)", NOT_THERE)
        async with open_volume(session) as volume:
            found = await forecast(volume, [attempt_of(run) for run in runs], base)
        titles = {f"{run['metadata']['uid']}/{status(run, 'attempt')}": status(run, "branch") for run in runs}
        if output:
            show_data(found, output)
        else:
            show_forecast(_named(found, titles))

    return run_in_cluster(access, work)


def _named(found: messages.Forecast, titles: dict[str, str]) -> MergeForecast:
    """Return a forecast with the branches' names, as `fetch` brings them."""
    from autopack.merge_forecast import Conflict, MergeForecast

    def conflict(one: messages.Conflict) -> Conflict:
        first, second = str(one["first"]), str(one["second"])
        return Conflict(titles.get(first, first), titles.get(second, second), tuple(one["paths"]))

    return MergeForecast(
        base=str(found["base"]),
        order=tuple(titles.get(one, one) for one in found["order"]),
        left_out=tuple(conflict(one) for one in found["leftOut"]),
        conflicts=tuple(conflict(one) for one in found["conflicts"]),
        merged=tuple(titles.get(one, one) for one in found["merged"]),
    )
