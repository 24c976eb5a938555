"""`kubectl autopack diff`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from autopack_cli.cluster.access import Access
from autopack_cli.cluster.options import access_options, attempt_option, run_in_cluster
from autopack_cli.shared.params import Size

if TYPE_CHECKING:
    from autopack_cli.cluster.session import Session


@click.command("diff", short_help="Show what a run changed.")
@click.argument("run")
@click.option("--stat", is_flag=True, help="Only the files, and how much each of them changed.")
@click.option("--committed", is_flag=True, help="Without what the run left uncommitted.")
@click.option("--limit", type=Size(), default="8M", show_default=True, help="At most this much of it.")
@attempt_option
@access_options
def diff_command(run: str, limit: int, attempt: int | None, access: Access, *, stat: bool, committed: bool) -> int:
    """Show what an attempt changed since the commit it began with. It must have ended.

    On a terminal control characters are shown, not obeyed; into a pipe goes the patch as it is, for `git apply`.
    """

    async def work(session: Session) -> None:
        from autopack_cli.cluster.inert import inert
        from autopack_cli.cluster.targets import find_run
        from autopack_cli.cluster.volume import attempt_of, open_volume
        from autopack_cli.shared.output import echo

        piped = not sys.stdout.isatty()
        which = attempt_of(await find_run(session, run), attempt)
        async with open_volume(session) as volume:
            data, _, _, truncated = await volume.diff(*which.key, limit, stat=stat, committed=committed, binary=piped)
        if not piped:
            data = inert(data.decode(errors="backslashreplace")).encode()
        echo(data)
        if truncated:
            click.echo(f"the diff is longer than {limit} bytes: raise --limit, or fetch the branch", err=True)

    return run_in_cluster(access, work)
