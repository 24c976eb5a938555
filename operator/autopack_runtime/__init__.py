"""What runs inside a run's pod: `workspace` before the user's command, `keeper` beside it."""
