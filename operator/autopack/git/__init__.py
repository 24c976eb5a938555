"""Git as Autopack calls it: one runner, checked names, worktrees and snapshots that survive a crash."""
