"""`kubectl autopack artifacts`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autopack.counts import count_of
from autopack_cli.cluster.access import Access
from autopack_cli.cluster.options import access_options, attempt_option, output_option, run_in_cluster
from autopack_cli.shared.output import echo

if TYPE_CHECKING:
    from autopack_cli.cluster.session import Session
    from autopack_cli.cluster.volume import Attempt
    from autopack_volume.client.client import VolumeClient
    from autopack_volume.contract.messages import Artifact


@click.group("artifacts", short_help="What a run wrote: ls, get.")
def artifacts_group() -> None:
    """What a run wrote into its artifacts' folder, and its logs."""


@artifacts_group.command("ls")
@click.argument("run")
@attempt_option
@output_option("wide", "json", "yaml")
@access_options
def ls_command(run: str, attempt: int | None, output: str | None, access: Access) -> int:
    """List a run's artifacts: size in bytes and path; with -o wide also the sha256."""

    async def work(session: Session) -> None:
        from autopack_cli.cluster.output import show_data, show_lines
        from autopack_cli.cluster.targets import find_run
        from autopack_cli.cluster.volume import attempt_of, open_volume

        which = attempt_of(await find_run(session, run), attempt)
        async with open_volume(session) as volume:
            listed = await volume.artifacts(*which.key)
        if output in {"json", "yaml"}:
            show_data({"run": which.run, "attempt": which.number, **listed}, output)
            return
        show_lines(_rows(listed["files"], wide=output == "wide"))
        if listed["truncated"]:
            click.echo("there are more than those listed", err=True)
        if listed["state"] != "committed":
            click.echo(f"attempt {which.number} is {listed['state']}: this may not be all", err=True)

    return run_in_cluster(access, work)


def _rows(files: list[Artifact], *, wide: bool) -> list[str]:
    from autopack.errors import printable
    from autopack_cli.cluster.tables import aligned

    rows = [["SIZE", *(["SHA256"] if wide else []), "PATH"]]
    for one in files:
        shown = printable(str(one["path"]), 500)
        if "link" in one:
            shown += f" -> {printable(str(one['link']), 300)}"
        rows.append([str(one.get("size", "link")), *([str(one.get("sha256") or "")] if wide else []), shown])
    return aligned(rows)


@artifacts_group.command("get")
@click.argument("run")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--to", type=click.Path(path_type=Path), help="A folder; - is standard output. Default: ./<run>-a<N>.")
@attempt_option
@access_options
def get_command(
    run: str, paths: tuple[str, ...], to: Path | None, attempt: int | None, access: Access, *, everything: bool
) -> int:
    """Fetch artifacts. A PATH that is a folder stands for all that is in it. Symlinks are not made."""
    if bool(paths) == everything:
        raise click.UsageError("give the PATHs to fetch, or --all")

    async def work(session: Session) -> None:
        from autopack_cli.cluster.targets import find_run
        from autopack_cli.cluster.volume import attempt_of, open_volume

        which = attempt_of(await find_run(session, run), attempt)
        async with open_volume(session) as volume:
            listed = await volume.artifacts(*which.key)
            chosen = _choose(listed["files"], paths)
            if to == Path("-"):
                await _print(volume, which, chosen)
            else:
                await _save(volume, which, chosen, to or Path(f"{which.run}-a{which.number}"))

    return run_in_cluster(access, work)


def _choose(files: list[Artifact], paths: tuple[str, ...]) -> list[Artifact]:
    from autopack.errors import printable
    from autopack_cli.cluster.problems import NOT_THERE, ClusterProblem

    regular = [one for one in files if "link" not in one]
    if not paths:
        return regular
    chosen: dict[str, Artifact] = {}
    for path in paths:
        folder = path.rstrip("/") + "/"
        found = [one for one in regular if one["path"] == path or str(one["path"]).startswith(folder)]
        if not found:
            message = f"the run left no file '{printable(path, 120)}'"
            raise ClusterProblem(f"{message}. `artifacts ls` lists them", NOT_THERE)
        chosen |= {str(one["path"]): one for one in found}
    return list(chosen.values())


async def _save(volume: VolumeClient, which: Attempt, chosen: list[Artifact], folder: Path) -> None:
    from autopack.errors import printable
    from autopack_cli.cluster.download import check_folders, download, place_of

    total = 0
    for one in chosen:
        target = place_of(folder, str(one["path"]))
        check_folders(folder, target)
        total += await download(volume, which, str(one["path"]), one.get("sha256"), target)
    echo(f"{count_of(len(chosen), 'file')}, {count_of(total, 'byte')} in {printable(str(folder), 300)}/")


async def _print(volume: VolumeClient, which: Attempt, chosen: list[Artifact]) -> None:
    from autopack_cli.shared.output import echo
    from autopack_volume.client.client import CHUNK

    for one in chosen:
        async with volume.artifact(*which.key, one["path"]) as response:
            async for chunk in response.content.iter_chunked(CHUNK):
                echo(chunk)
