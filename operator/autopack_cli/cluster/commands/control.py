"""`kubectl autopack cancel`, `suspend`, `resume`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from autopack_cli.cluster.access import Access
from autopack_cli.cluster.options import access_options, run_in_cluster
from autopack_cli.shared.output import echo

if TYPE_CHECKING:
    from autopack_cli.cluster.session import Session
    from autopack_operator.domain.api.common import JsonDict

_names = click.argument("names", nargs=-1, required=True, metavar="NAME...")


@click.command("cancel", short_help="Stop runs or batches for good; their work is kept.")
@_names
@access_options
def cancel_command(names: tuple[str, ...], access: Access) -> int:
    """Stop runs or batches for good. What they committed and wrote so far is kept."""
    return _set(access, names, "cancel", value=True, done="canceled")


@click.command("suspend", short_help="Suspend runs or batches; their work is kept.")
@_names
@access_options
def suspend_command(names: tuple[str, ...], access: Access) -> int:
    """Hold runs (they stop, and keep their work) or batches (no further run starts)."""
    return _set(access, names, "suspend", value=True, done="suspended")


@click.command("resume", short_help="Let suspended runs or batches continue.")
@_names
@access_options
def resume_command(names: tuple[str, ...], access: Access) -> int:
    """Let suspended runs or batches continue."""
    return _set(access, names, "suspend", value=False, done="resumed")


def _set(access: Access, names: tuple[str, ...], field: str, *, value: bool, done: str) -> int:
    async def work(session: Session) -> int:
        from autopack_cli.cluster.tables import terminal
        from autopack_cli.cluster.targets import find

        code = 0
        for name in names:
            found = await find(session, name)
            if terminal(found.body):
                click.echo(f"{found.title} is finished already", err=True)
                code = 1
            elif bool((found.body.get("spec") or {}).get(field)) is value:
                echo(f"{found.title} unchanged")
            else:
                await session.change(found.resource, found.name, lambda body: _edit(body, field, value=value))
                echo(f"{found.title} {done}")
        return code

    return run_in_cluster(access, work)


def _edit(body: JsonDict, field: str, *, value: bool) -> None:
    body["spec"][field] = value
