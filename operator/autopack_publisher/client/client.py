"""Asks the publisher."""

from __future__ import annotations

from typing import cast

from autopack_publisher.contract import messages
from autopack_publisher.contract.routes import at
from autopack_volume.client.asking import Asking, RefusedError, UnreachableError

__all__ = ["PublisherClient", "RefusedError", "UnreachableError"]


class PublisherClient(Asking):
    """Everything raises UnreachableError or RefusedError; of the latter, status 422 is for good."""

    service = "publisher service"

    async def deliver(self, uid: str, attempt: int, wanted: messages.DeliveryRequest) -> messages.Final | None:
        """Deliver what an attempt left; None while that is under way: ask again."""
        return cast("messages.Final | None", await self.json("PUT", at(uid, attempt), wanted))
