"""The publisher: the only part that holds credentials to write with."""

from __future__ import annotations

from typing import Protocol

from autopack_operator.domain.delivery.request import DeliveryRequest
from autopack_operator.domain.delivery.world import Answer


class Publisher(Protocol):
    """Deliveries are idempotent: what was done already is read from the git server."""

    async def deliver(self, request: DeliveryRequest) -> Answer | None:
        """Deliver, or say how far that is: None means under way, ask again."""
        ...
