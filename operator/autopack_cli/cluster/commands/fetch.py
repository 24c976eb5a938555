"""`kubectl autopack fetch` and `branch`."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autopack_cli.cluster.access import Access
from autopack_cli.cluster.options import access_options, attempt_option, output_option, run_in_cluster
from autopack_cli.shared.failures import RUNS_FAILED
from autopack_cli.shared.output import echo

if TYPE_CHECKING:
    from autopack_cli.cluster.session import Session
    from autopack_cli.cluster.volume import Attempt
    from autopack_operator.domain.api.common import JsonDict
    from autopack_volume.client.client import VolumeClient
    from autopack_volume.contract import messages

_names = click.argument("names", nargs=-1, required=True, metavar="NAME...")


@click.command("fetch", short_help="Fetch runs' branches into your clone.")
@_names
@click.option(
    "--repo", type=click.Path(path_type=Path), default=Path(), help="Your clone. Default: the current directory."
)
@click.option("--as", "branch", metavar="BRANCH", help="The branch's name in your clone. Default: the run's.")
@click.option(
    "--ref", metavar="REF", help="Another ref of the attempt: snapshot, heads/x, outbox/x (`branch` lists them)."
)
@click.option("--force", is_flag=True, help="Replace a branch of yours that has other commits.")
@attempt_option
@access_options
def fetch_command(
    names: tuple[str, ...],
    repo: Path,
    branch: str | None,
    ref: str | None,
    attempt: int | None,
    access: Access,
    *,
    force: bool,
) -> int:
    """Bring the branches of runs, or of all runs of a batch, into your clone. Your work tree is not touched.

    Of several runs, those that left nothing are reported and passed over. Exit codes: 0 all there is has been fetched,
    1 a branch could not be, 3 there is none.

    \b
    kubectl autopack fetch refactoring-parser
    kubectl autopack fetch refactoring-parser --ref snapshot --as look-at-this
    """
    from autopack.settings import check_repository

    check_repository(repo)

    async def work(session: Session) -> int:
        from autopack_cli.cluster.problems import NOT_THERE, ClusterProblem
        from autopack_cli.cluster.targets import runs_of
        from autopack_cli.cluster.volume import attempt_of, open_volume, said

        runs = await runs_of(session, names)
        if branch is not None and len(runs) != 1:
            raise click.UsageError("--as is for one run")
        alone, codes = len(runs) == 1, set[int]()
        async with open_volume(session) as volume:
            for run in runs:
                try:
                    which = attempt_of(run, attempt)
                    with said():
                        await _bring(volume, which, repo, (ref, branch), force=force)
                    codes.add(0)
                except ClusterProblem as problem:
                    if alone:
                        raise
                    click.echo(f"run/{run['metadata']['name']}: {problem.format_message()}", err=True)
                    codes.add(problem.code)
        return RUNS_FAILED if codes - {0, NOT_THERE} else 0 if 0 in codes else NOT_THERE

    return run_in_cluster(access, work)


async def _bring(
    volume: VolumeClient, which: Attempt, repo: Path, wanted: tuple[str | None, str | None], *, force: bool
) -> None:
    from autopack.errors import printable
    from autopack_cli.cluster.bringing import bring, has_commit
    from autopack_volume.client.client import CHUNK

    ref, branch = wanted
    told = await volume.attempt(*which.key)
    known = await asyncio.to_thread(has_commit, repo, str(told.get("baseSha", "")))
    with tempfile.TemporaryDirectory(prefix="autopack-fetch-") as folder:
        bundle = Path(folder) / "work.bundle"
        with bundle.open("wb") as file:
            async with volume.bundle(*which.key, ref, complete=not known) as (name, response):
                async for chunk in response.content.iter_chunked(CHUNK):
                    file.write(chunk)
        target = branch or _branch_of(name) or f"autopack/{which.run}-{ref}"
        sha, changed = await asyncio.to_thread(lambda: bring(repo, bundle, name, target, force=force))
    echo(f"run/{which.run}: branch {printable(target)} is {sha[:12]}{'' if changed else ' already'}")


def _branch_of(ref: str) -> str | None:
    """`refs/runs/<uid>/a1/heads/x` -> `x`, and likewise what was pushed: `refs/runs/<uid>/a1/outbox/x`."""
    kind, _, branch = ref.split("/", 4)[-1].partition("/")
    return branch if kind in {"heads", "outbox"} else None


@click.command("branch", short_help="List the branches that runs left.")
@_names
@attempt_option
@output_option("json", "yaml")
@access_options
def branch_command(names: tuple[str, ...], attempt: int | None, output: str | None, access: Access) -> int:
    """List the branches that runs, or all runs of a batch, left and pushed: run, attempt, `fetch --ref`, commit."""

    async def work(session: Session) -> None:
        from autopack_cli.cluster.output import show_data, show_lines
        from autopack_cli.cluster.tables import aligned
        from autopack_cli.cluster.targets import runs_of
        from autopack_cli.cluster.volume import attempt_of, open_volume

        rows: list[JsonDict] = []
        runs = await runs_of(session, names)
        async with open_volume(session) as volume:
            for run in runs:
                which = attempt_of(run, attempt)
                rows += _refs(which, await volume.attempt(*which.key))
        if output:
            show_data(rows, output)
            return
        columns = ("run", "attempt", "ref", "commit")
        show_lines(
            aligned([[name.upper() for name in columns], *([str(row[name]) for name in columns] for row in rows)])
        )

    return run_in_cluster(access, work)


def _refs(which: Attempt, told: messages.Attempt) -> list[JsonDict]:
    from autopack.errors import printable

    kept: JsonDict = {**(told.get("commit") or {})}
    found = {f"heads/{name}": sha for name, sha in (kept.get("branches") or {}).items()}
    found |= {f"outbox/{name}": sha for name, sha in (kept.get("outbox") or {}).items()}
    found |= {"snapshot": kept["snapshot"]} if kept.get("snapshot") else {}
    return [
        {"run": which.run, "attempt": which.number, "ref": printable(ref), "commit": sha} for ref, sha in found.items()
    ]
