"""`kubectl autopack get`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from autopack.phases import Phase
from autopack_cli.cluster.access import Access
from autopack_cli.cluster.options import access_options, output_option, run_in_cluster

if TYPE_CHECKING:
    from autopack_cli.cluster.session import Resource, Session
    from autopack_operator.domain.api.common import JsonDict


@click.command("get", short_help="Show runs and batches.")
@click.argument("names", nargs=-1, metavar="[runs|batches] [NAME]...")
@click.option("--batch", metavar="NAME", help="Only the runs of this batch.")
@click.option("--phase", metavar="PHASE", help="Only what is in this phase, such as Failed.")
@output_option("wide", "json", "yaml")
@access_options
def get_command(
    names: tuple[str, ...], batch: str | None, phase: str | None, output: str | None, access: Access
) -> int:
    """Show batches and runs.

    \b
    kubectl autopack get
    kubectl autopack get runs --batch refactoring --phase Failed
    kubectl autopack get refactoring -o yaml
    """

    async def work(session: Session) -> None:
        chosen = await _choose(session, names, batch)
        one = bool(names) and sum(map(len, chosen.values())) == 1
        if phase is not None:
            chosen = {kind: [one for one in bodies if _phase(one) == phase.lower()] for kind, bodies in chosen.items()}
        _show(session.namespace, chosen, output, one=one)

    return run_in_cluster(access, work)


def _phase(body: JsonDict) -> str:
    from autopack_cli.cluster.tables import status

    return (status(body, "phase") or Phase.PENDING).lower()


async def _choose(session: Session, names: tuple[str, ...], batch: str | None) -> dict[Resource, list[JsonDict]]:
    from autopack_cli.cluster.session import BATCHES, RUNS
    from autopack_cli.cluster.targets import children, find, kind_of

    kind = kind_of(names[0]) if names else None
    rest = names[1:] if kind else names
    if batch is not None:
        if names and (kind != RUNS or rest):
            raise click.UsageError("--batch is for `get runs`")
        found = await find(session, f"batch/{batch.removeprefix('batch/')}")
        return {RUNS: await children(session, found.body)}
    if not rest:
        return {one: await session.list(one) for one in ((kind,) if kind else (BATCHES, RUNS))}
    prefix = f"{kind[1]}/" if kind else ""
    chosen: dict[Resource, list[JsonDict]] = {}
    for name in rest:
        one = await find(session, prefix + name)
        chosen.setdefault(one.resource, []).append(one.body)
    return chosen


def _show(namespace: str, chosen: dict[Resource, list[JsonDict]], output: str | None, *, one: bool) -> None:
    from autopack_cli.cluster import tables
    from autopack_cli.cluster.output import show_lines, show_objects
    from autopack_cli.cluster.session import BATCHES

    if output in {"json", "yaml"}:
        show_objects([body for bodies in chosen.values() for body in bodies], output, one=one)
        return
    now, wide = datetime.now(UTC), output == "wide"
    if not any(chosen.values()):
        click.echo(f"nothing found in the namespace {namespace}", err=True)
    before = False
    for kind, bodies in chosen.items():
        if bodies:
            columns = (tables.BATCH_WIDE, tables.BATCH) if kind == BATCHES else (tables.RUN_WIDE, tables.RUN)
            show_lines([""] if before else [])
            show_lines(tables.table(columns[0] if wide else columns[1], bodies, now))
            before = True
