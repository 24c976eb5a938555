"""What the harness knows by itself, whatever the API server says: who executed when, what was acknowledged."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

Attempt = tuple[str, int]
"""UID of the run, number of the attempt."""


@dataclass
class Execution:
    """One life of a command, from its first to its last heartbeat. `last` grows while it lives."""

    run: str
    run_uid: str
    attempt: int
    pod: str
    first: float
    last: float
    alive: bool = True

    @property
    def key(self) -> Attempt:
        """Whose work it does."""
        return self.run_uid, self.attempt


@dataclass
class Ledger:
    """Of one lane; grows with each trial."""

    executions: list[Execution] = field(default_factory=list)
    acknowledged: dict[Attempt, list[str]] = field(default_factory=dict)
    """Lines whose writer was told that they are stored."""
    stored: dict[Attempt, list[str]] = field(default_factory=dict)
    """Lines in the attempt's folder."""

    def begin(self, run: str, run_uid: str, attempt: int, pod: str) -> Execution:
        """A command started."""
        now = time.monotonic()
        execution = Execution(run, run_uid, attempt, pod, now, now)
        self.executions.append(execution)
        return execution

    def beat(self, execution: Execution) -> None:
        """It lives, and writes a line into its attempt's folder."""
        execution.last = time.monotonic()
        line = f"{execution.pod} {execution.last}"
        self.stored.setdefault(execution.key, []).append(line)
        self.acknowledged.setdefault(execution.key, []).append(line)

    def end(self, execution: Execution) -> None:
        """It stopped."""
        execution.last = time.monotonic()
        execution.alive = False

    def began(self, key: Attempt) -> bool:
        """Whether a command of that attempt ever started: its folder says so, and a second one refuses."""
        return any(execution.key == key for execution in self.executions)
