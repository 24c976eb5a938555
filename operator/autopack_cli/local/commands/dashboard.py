"""`autopack dashboard`."""

from __future__ import annotations

from pathlib import Path

import click

from autopack_cli.shared.output import echo
from autopack_cli.shared.params import place_options, places


@click.command("dashboard", short_help="Show runs in a browser.")
@click.option("--database-url", help="Postgres with all runs. Default: $DATABASE_URL, which `ps` does not show.")
@click.option("--run-id", help="Show only this run, from its own SQLite file (--per-run-sqlite).")
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address: nobody is asked to log in.")
@click.option("--port", default=8765, show_default=True, type=click.IntRange(1, 65535), help="Where it listens.")
@place_options
def dashboard_command(
    database_url: str | None,
    run_id: str | None,
    host: str,
    port: int,
    source_repo: Path | None,
    autonomous_runs_dir: Path | None,
) -> None:
    """Show runs in a browser: what they do, what they left. Read-only, for this machine alone.

    Without a database: the runs of the folder of runs, whatever databases they used.
    """
    from autopack.registry.urls import check_database_url
    from autopack_dashboard.local import serve_all, serve_folder, serve_one

    settings = places(source_repo, autonomous_runs_dir)
    if run_id is not None:
        serve_one(run_id, settings.runs_dir, settings.repo_path, host, port, echo)
        return
    url = database_url or settings.database_url
    if not url:
        serve_folder(settings.runs_dir, settings.repo_path, host, port, echo)
        return
    serve_all(check_database_url(url), settings.runs_dir, settings.repo_path, host, port, echo)
