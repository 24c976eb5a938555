"""Asks the model gateway: what the operator sends and reads."""

from __future__ import annotations

from typing import cast
from urllib.parse import urlencode

from autopack_gateway.contract import messages, routes
from autopack_gateway.contract.routes import at
from autopack_volume.client.asking import Asking, RefusedError, UnreachableError

__all__ = ["GatewayClient", "RefusedError", "UnreachableError"]


class GatewayClient(Asking):
    """Everything raises UnreachableError or RefusedError, and may be asked again; status 400 and 409 are for good."""

    service = "gateway"

    async def grant(self, grant: messages.Grant) -> messages.Granted:
        """Let the pod of an attempt ask for models; for the same attempt: replace the grant.

        RefusedError 409 when a later attempt of the run has a grant, or had one.
        """
        return cast("messages.Granted", await self.final("PUT", routes.GRANTS, grant))

    async def revoke(self, uid: str, attempt: int) -> messages.Revoked:
        """Take the grant of an attempt (and of earlier ones) away: its pod gets 401 at its next request."""
        return cast("messages.Revoked", await self.final("DELETE", at(routes.GRANT, uid, attempt)))

    async def spent(self, after: str | None = None) -> messages.Spent:
        """Return what runs used, for those that something changed about since; None asks for all."""
        query = f"?{urlencode({'after': after})}" if after else ""
        return cast("messages.Spent", await self.final("GET", f"{routes.SPENT}{query}"))
