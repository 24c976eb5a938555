"""`autopack registry`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autopack.counts import count_of
from autopack.settings import load_settings
from autopack_cli.shared.output import echo
from autopack_cli.shared.params import place_options, places

if TYPE_CHECKING:
    from autopack.registry.store import Registry


@click.group("registry", short_help="The registry of runs: upgrade, replay, list.")
def registry_group() -> None:
    """The registry: what became of every run, in Postgres or in a run's SQLite file."""


_database = click.option("--database-url", help="Default: $DATABASE_URL, which `ps` does not show.")


@contextmanager
def _opened(database_url: str | None) -> Iterator[Registry]:
    from autopack.registry.store import Registry
    from autopack.registry.urls import check_database_url

    registry = Registry(check_database_url(database_url or load_settings().database_url))
    try:
        yield registry
    finally:
        registry.close()


@registry_group.command("upgrade")
@_database
def upgrade_command(database_url: str | None) -> None:
    """Make the registry's tables, or bring them up to date. Batches do so by themselves."""
    with _opened(database_url) as registry:
        echo("upgraded" if registry.upgrade() else "up to date")


@registry_group.command("replay")
@_database
@place_options
@click.option("--all", "everything", is_flag=True, help="Send everything again, to a database that lost it.")
def replay_command(
    database_url: str | None, source_repo: Path | None, autonomous_runs_dir: Path | None, *, everything: bool
) -> None:
    """Send the rows that wait on disk since the database was away. Sending twice changes nothing."""
    from autopack.registry.delivery import send
    from autopack.registry.outbox import Outbox

    settings = places(source_repo, autonomous_runs_dir)
    with _opened(database_url) as registry:
        registry.upgrade()
        outbox = Outbox(settings.runs_dir, registry.url.key)
        if everything:
            outbox.forget_sent()
        sent = [send(outbox, name, lambda _name: registry) for name in outbox.names()]
    echo(f"sent {count_of(sum(sent), 'row')} of {count_of(sum(count > 0 for count in sent), 'run')}")


@registry_group.command("list")
@_database
def list_command(database_url: str | None) -> None:
    """Print the runs in the registry, one a line: id, state, attempt, exit code, reason, end, folder of runs."""
    with _opened(database_url) as registry:
        registry.upgrade()
        for row in registry.runs():
            end = "" if row.finished_at is None else row.finished_at.isoformat(timespec="seconds")
            code = "" if row.exit_code is None else row.exit_code
            echo(f"{row.run_id}\t{row.state}\t{row.attempt}\t{code}\t{row.reason or ''}\t{end}\t{row.scope[:8]}")
