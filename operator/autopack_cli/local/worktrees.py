"""Listing and cleaning up worktrees, for two commands."""

from __future__ import annotations

from datetime import timedelta

from autopack.counts import count_of
from autopack.errors import printable
from autopack.settings import Settings, check_repository
from autopack_cli.shared.failures import OK
from autopack_cli.shared.output import echo


def show_worktrees(settings: Settings) -> None:
    """Print the worktrees of the repository."""
    from autopack.git.listing import list_worktrees

    found = list_worktrees(check_repository(settings.repo_path))
    echo(f"Found {count_of(len(found), 'worktree')}:")
    for entry in found:
        branch = str(entry.get("branch") or "(detached)").removeprefix("refs/heads/")
        echo(f"  {printable(str(entry['path']), 1000)}")
        echo(f"    Branch: {printable(branch)}")
        echo(f"    Commit: {str(entry.get('commit') or 'none')[:8]}")


def show_cleanup(settings: Settings, older_than: float = 0.0, *, dry_run: bool = False) -> int:
    """Save and remove worktrees that nobody uses and nobody touched for `older_than` seconds; print what was done."""
    from autopack.worktree_cleanup import cleanup_worktrees

    leases = settings.runs_dir / ".workspace_leases"
    base = settings.runs_dir / "workspaces"
    repo = check_repository(settings.repo_path)
    items = cleanup_worktrees(repo, base, timedelta(seconds=older_than), dry_run=dry_run, lease_dir=leases)
    for item in items:
        echo(f"  {printable(str(item.path), 1000)}: {item.detail}")
    count = sum(item.removed for item in items)
    echo(f"{'Would clean up' if dry_run else 'Cleaned up'} {count_of(count, 'worktree')}")
    return OK
