"""Leader election: the process acts only while it leads, and exits when it no longer does."""

from __future__ import annotations

from typing import Protocol


class Leadership(Protocol):
    """One leader at a time, by a Lease judged on the monotonic clock."""

    async def acquire(self) -> None:
        """Return once this process leads."""
        ...

    async def hold(self) -> None:
        """Renew until leadership is lost, then return; the caller must stop acting at once."""
        ...

    def leads(self) -> bool:
        """Whether this process may act as leader at this very moment."""
        ...

    async def release(self) -> None:
        """Let go of the Lease on an orderly exit, so that a standby takes over at once."""
        ...
