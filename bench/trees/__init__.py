"""Part 4: how long a worktree takes and what it occupies, beside git's own and bare file writing."""
