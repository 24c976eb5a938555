"""An installation without a publisher."""

from __future__ import annotations

from autopack_operator.domain.delivery.request import DeliveryRequest
from autopack_operator.domain.delivery.world import Answer, Delayed


class NoPublisher:
    """Implements ports.publisher.Publisher: deliveries wait until there is one."""

    async def deliver(self, request: DeliveryRequest) -> Answer | None:  # noqa: ARG002 - whatever it is
        """See ports.publisher.Publisher."""
        return Delayed("PublisherDisabled", "publisher.enabled of the chart is false; an administrator sets it")

    async def close(self) -> None:
        """There is nothing to close."""
