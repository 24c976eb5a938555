"""Who calls: runs' pods by tokens that are bound to them, the operator by its ServiceAccount."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aiohttp import web

from autopack.service_tokens.tokens import DeniedError, TokenReader, TokenVerifier, pod_of


class Callers(Protocol):
    """Tells who the bearer of a token is; raises DeniedError."""

    async def pod(self, token: str) -> str:
        """Return the UID of the pod that a run's request comes from."""
        ...

    async def operator(self, token: str) -> None:
        """Accept the token of whoever may send grants."""
        ...

    async def ready(self) -> bool:
        """Tell whether tokens can be verified now."""
        ...


class ClusterCallers:
    """Tokens of a cluster, verified with its keys."""

    def __init__(self, reader: TokenReader, operator: TokenVerifier) -> None:
        self._reader, self._operator = reader, operator

    async def pod(self, token: str) -> str:
        """See Callers."""
        pod = pod_of(await self._reader.read(token))
        if not pod:
            raise DeniedError(401, "the token is not bound to a pod")
        return pod

    async def operator(self, token: str) -> None:
        """See Callers."""
        await self._operator.verify(token)

    async def ready(self) -> bool:
        """See Callers."""
        return await self._reader.ready()


def token_of(request: web.Request) -> str:
    """Return what a request shows: a bearer token, or a key as Anthropic's clients send it."""
    return bearer(request.headers) or request.headers.get("x-api-key", "").strip()


def bearer(headers: Mapping[str, str]) -> str:
    """Return a bearer token, empty without one."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
