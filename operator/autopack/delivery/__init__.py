"""Lets a run's commits out to a branch of a git server: what may go, and how it is pushed. Knows no credential."""
