"""The model gateway, as the operator sees it. All calls are idempotent there: a lost answer is asked for again."""

from __future__ import annotations

from pathlib import Path

import aiohttp

from autopack.agents.usage import Usage, count, micro_dollars
from autopack_gateway.client.client import GatewayClient, RefusedError, UnreachableError
from autopack_gateway.contract.messages import Budget, RunUsed
from autopack_gateway.contract.messages import Grant as GrantMessage
from autopack_operator.domain.spending.views import Bound, GatewayFailure, Grant, Spending, Spent

TIMEOUT = aiohttp.ClientTimeout(total=10)


class HttpGateway:
    """Implements ports.gateway.Gateway."""

    def __init__(self, url: str, token_file: Path) -> None:
        self._client = GatewayClient(url, token_file, TIMEOUT)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def grant(self, grant: Grant) -> GatewayFailure | None:
        """See ports.gateway.Gateway."""
        try:
            await self._client.grant(_message(grant))
        except (RefusedError, UnreachableError) as error:
            return _failure(error)
        return None

    async def revoke(self, run_uid: str, attempt: int) -> GatewayFailure | None:
        """See ports.gateway.Gateway."""
        try:
            await self._client.revoke(run_uid, attempt)
        except (RefusedError, UnreachableError) as error:
            return _failure(error)
        return None

    async def spent(self, after: str) -> Spending | GatewayFailure:
        """See ports.gateway.Gateway."""
        try:
            answer = await self._client.spent(after or None)
            return Spending(answer["cursor"], tuple(map(_spent, answer["runs"])))
        except (RefusedError, UnreachableError) as error:
            return _failure(error)
        except (KeyError, TypeError) as error:
            return GatewayFailure(f"its answer about what was spent cannot be read: {error!r}")


def _message(grant: Grant) -> GrantMessage:
    return {
        "uid": grant.run_uid,
        "attempt": grant.attempt,
        "podUid": grant.pod_uid,
        "runName": grant.run_name,
        "batch": grant.batch or "",
        "providers": [{"name": each.provider, "models": list(each.models)} for each in grant.providers],
        "budgets": [_budget(bound) for bound in grant.bounds],
        "priority": grant.priority,
    }


def _budget(bound: Bound) -> Budget:
    budget: Budget = {"scope": bound.scope}
    if bound.usd is not None:
        budget["usd"] = bound.usd
    if bound.tokens is not None:
        budget["tokens"] = bound.tokens
    if bound.requests is not None:
        budget["requests"] = bound.requests
    return budget


def _spent(used: RunUsed) -> Spent:
    usage = Usage(
        requests=count(used["requests"]),
        input_tokens=count(used["inputTokens"]),
        output_tokens=count(used["outputTokens"]),
        cached_tokens=count(used["cachedTokens"]),
        micro_usd=micro_dollars(used["costUSD"]),
    )
    return Spent(used["uid"], usage, used["exhausted"])


def _failure(error: RefusedError | UnreachableError) -> GatewayFailure:
    if isinstance(error, UnreachableError):
        return GatewayFailure(f"the gateway did not answer: {error}")
    return GatewayFailure(f"the gateway refused: {error.message}")
