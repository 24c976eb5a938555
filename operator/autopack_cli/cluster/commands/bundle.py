"""`kubectl autopack bundle`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autopack_cli.cluster.access import Access
from autopack_cli.cluster.options import access_options, attempt_option, run_in_cluster
from autopack_cli.shared.output import echo

if TYPE_CHECKING:
    from autopack_cli.cluster.session import Session


@click.command("bundle", short_help="Save a run's branch as a file that git can fetch from.")
@click.argument("name")
@click.option(
    "-o",
    "--output",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="File to write.",
)
@click.option("--ref", metavar="REF", help="Another ref of the attempt: snapshot, heads/x, outbox/x.")
@click.option("--complete", is_flag=True, help="With the whole history, for a repository that has none of it.")
@click.option("--force", is_flag=True, help="Replace the file.")
@attempt_option
@access_options
def bundle_command(
    name: str,
    file: Path,
    ref: str | None,
    attempt: int | None,
    access: Access,
    *,
    complete: bool,
    force: bool,
) -> int:
    """Save a run's branch as a git bundle, to be carried to where no network leads: `git fetch FILE REF` takes it in.

    It begins at the commit that the run began with, which the other repository has to have, unless --complete is given.
    """
    if file.exists() and not force:
        raise click.BadParameter(f"{file} is there already; --force replaces it", param_hint="--output")

    async def work(session: Session) -> None:
        from autopack.errors import printable
        from autopack_cli.cluster.targets import find_run
        from autopack_cli.cluster.volume import attempt_of, open_volume
        from autopack_volume.client.client import CHUNK

        which = attempt_of(await find_run(session, name), attempt)
        part = file.with_name(f".{file.name}.{os.getpid()}.part")
        try:
            async with (
                open_volume(session) as volume,
                volume.bundle(*which.key, ref, complete=complete) as (found, response),
            ):
                with part.open("wb") as target:
                    async for chunk in response.content.iter_chunked(CHUNK):
                        target.write(chunk)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
        echo(f"{file}: {printable(found)}")

    return run_in_cluster(access, work)
