#!/usr/bin/env python3
"""Make test runs (test-run-001 and on) in the registry, to try parallel execution with. Safe to run again."""

from __future__ import annotations

import sys
from pathlib import Path

# Works from a checkout that is not installed, too.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "operator"))

import click

from autopack_cli.shared.failures import guarded
from autopack_cli.shared.output import echo
from autopack_cli.shared.params import place_options, places


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--count", type=click.IntRange(1, 999), default=3, show_default=True, help="How many runs.")
@click.option("--database-url", help="Postgres. Default: $DATABASE_URL.")
@click.option("--per-run-sqlite", is_flag=True, help="A SQLite file for each run instead.")
@place_options
def seed(
    *,
    count: int,
    database_url: str | None,
    per_run_sqlite: bool,
    source_repo: Path | None,
    autonomous_runs_dir: Path | None,
) -> None:
    """Make Pending rows of test-run-001, test-run-002 … and say how to execute them."""
    from autopack.file_layout import RunFileLayout
    from autopack.phases import Phase
    from autopack.registry.delivery import send
    from autopack.registry.events import RunRecord, now
    from autopack.supervisor.database import choose_strategy, outbox_of

    settings = places(source_repo, autonomous_runs_dir)
    strategy = choose_strategy(database_url or settings.database_url, settings.runs_dir, per_run_sqlite=per_run_sqlite)
    strategy.check()
    outbox = outbox_of(settings.runs_dir, strategy)
    run_ids = [f"test-run-{number:03}" for number in range(1, count + 1)]
    for run_id in run_ids:
        layout = RunFileLayout(run_id, base_dir=settings.runs_dir)
        layout.ensure_directories()
        strategy.prepare(layout)
        if outbox.last(run_id) is None:
            outbox.append(RunRecord(run_id, 0, Phase.PENDING, now()))
        send(outbox, layout.name, strategy.registry_of)
        echo(f"{run_id}: ready")
    strategy.close()
    how = "--per-run-sqlite" if per_run_sqlite else "--database-url …"
    echo(
        f"Now: autopack autopilot supervise --run-ids {','.join(run_ids)} --anchor-path anchor.json {how} --command '…'"
    )


if __name__ == "__main__":
    sys.exit(guarded(seed, sys.argv[1:]))
