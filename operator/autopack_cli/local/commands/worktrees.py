"""`autopack worktrees`."""

from __future__ import annotations

from pathlib import Path

import click

from autopack_cli.local.worktrees import show_cleanup, show_worktrees
from autopack_cli.shared.params import Duration, place_options, places


@click.group("worktrees", short_help="The runs' worktrees: list, cleanup.")
def worktrees_group() -> None:
    """The runs' worktrees."""


@worktrees_group.command("list")
@place_options
def list_command(source_repo: Path | None, autonomous_runs_dir: Path | None) -> None:
    """List all worktrees of the repository."""
    show_worktrees(places(source_repo, autonomous_runs_dir))


@worktrees_group.command("cleanup")
@place_options
@click.option(
    "--older-than", type=Duration(bare=False), default=0.0, help="Only those untouched for this long: 12h, 7d."
)
@click.option("--dry-run", is_flag=True, help="Only list what would be removed.")
def cleanup_command(
    source_repo: Path | None, autonomous_runs_dir: Path | None, older_than: float, *, dry_run: bool
) -> int:
    """Save and remove worktrees that nobody uses. What was not committed is kept as refs/autopack/<run>."""
    return show_cleanup(places(source_repo, autonomous_runs_dir), older_than, dry_run=dry_run)
