"""A batch in numbers, and what they say about the time that is left. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from .measures import duration


@dataclass
class Tally:
    """The state of a batch in numbers; times are seconds on any one clock."""

    total: int = 0
    workers: int = 1
    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    not_started: int = 0
    seconds: float = 0.0
    running: dict[str, tuple[int, float]] = field(default_factory=dict)

    @property
    def ended(self) -> int:
        """How many runs need no more work."""
        return self.succeeded + self.failed + self.skipped

    def eta(self, now: float) -> float | None:
        """Return the seconds that are probably left: at the mean duration so far, all workers busy. None at first."""
        executed = self.succeeded + self.failed
        if executed == 0:
            return None
        mean = self.seconds / executed
        waiting = self.total - self.ended - len(self.running)
        begun = sum(max(0.0, mean - (now - since)) for _, since in self.running.values())
        return (waiting * mean + begun) / max(1, self.workers)

    def counts(self, now: float) -> str:
        """Say all of it on one line."""
        eta = self.eta(now)
        over = self.ended == self.total or self.not_started > 0
        left = "" if eta is None or over else f", about {duration(eta)} left"
        others = ((self.skipped, "done before"), (self.not_started, "not started"))
        rest = "".join(f", {count} {word}" for count, word in others if count)
        return (
            f"{self.ended}/{self.total} ended: {self.succeeded} succeeded, {self.failed} failed{rest};"
            f" {len(self.running)} running{left}"
        )
