"""Measurements, with bounded labels."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from autopack.agents.usage import Usage


class Telemetry(Protocol):
    """What the application counts."""

    def reconcile(self, kind: str) -> AbstractContextManager[None]:
        """Time one reconcile of that kind."""
        ...

    def lease_contention(self) -> None:
        """A lease was held by somebody else."""
        ...

    def worktree_ready(self, seconds: float) -> None:
        """Seconds from the pod's creation to its ready worktree."""
        ...

    def agent_used(self, usage: Usage) -> None:
        """An attempt's agent told what it used."""
        ...

    def run_finished(self, phase: str) -> None:
        """A run reached that terminal phase."""
        ...

    def delivery_ended(self, state: str) -> None:
        """A run's delivery came to that end."""
        ...
