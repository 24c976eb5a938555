"""`autopack diff`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from autopack.settings import check_repository
from autopack_cli.shared.output import echo
from autopack_cli.shared.params import place_options, places


@click.command("diff", short_help="Show what a run changed.")
@click.argument("run_id")
@click.option("--stat", is_flag=True, help="Only the files, and how much each of them changed.")
@click.option("--base", help="Compare with this branch, tag or commit. Default: where the run began.")
@place_options
def diff_command(
    run_id: str, base: str | None, source_repo: Path | None, autonomous_runs_dir: Path | None, *, stat: bool
) -> None:
    """Show what a run changed, committed or not, whether it is still at work or long gone."""
    from autopack.diff import run_diff
    from autopack.file_layout import RunFileLayout
    from autopack.supervisor.attempt_files import read_result

    settings = places(source_repo, autonomous_runs_dir)
    layout = RunFileLayout(run_id, base_dir=settings.runs_dir)
    ended = read_result(layout)
    if base is None and ended is not None:
        base = ended.base_sha
    repo = check_repository(settings.repo_path)
    place, piped = layout.workspace_dir.parent, not sys.stdout.isatty()
    found = run_diff(repo, run_id, worktree_base=place, base=base, stat=stat, binary=piped)
    echo(found.data)
