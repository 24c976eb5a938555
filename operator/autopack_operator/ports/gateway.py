"""The model gateway: what runs may use there, and what they have used."""

from __future__ import annotations

from typing import Protocol

from autopack_operator.domain.spending.views import GatewayFailure, Grant, Spending


class Gateway(Protocol):
    """All calls are idempotent, and are made again after a failure."""

    async def grant(self, grant: Grant) -> GatewayFailure | None:
        """Let the pod use that from now on, and no earlier attempt's any more."""
        ...

    async def revoke(self, run_uid: str, attempt: int) -> GatewayFailure | None:
        """Refuse whatever the attempt's pod still asks for; one that was never granted anything is fine."""
        ...

    async def spent(self, after: str) -> Spending | GatewayFailure:
        """The runs whose numbers have changed after that cursor; all of them after an empty one."""
        ...
