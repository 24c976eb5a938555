"""What runs have spent, as the gateway tells: asked for every few seconds, and whenever an attempt is over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from autopack_operator.cache import Cache
from autopack_operator.domain.keys import Key, Kind
from autopack_operator.domain.spending.views import GatewayFailure, Grant, Spent
from autopack_operator.ports.clock import Clock
from autopack_operator.ports.gateway import Gateway

log = logging.getLogger(__name__)

LOOK_SECONDS = 3.0
TOLD_SECONDS = 30.0
"""A run that spends all the time is written this often; one whose budget is spent is looked at once."""


class SpendingBook:
    """Numbers by run. Grants and questions take turns: an answer from before a grant says nothing of it."""

    def __init__(self, gateway: Gateway, cache: Cache, enqueue: Callable[[Key], None], clock: Clock) -> None:
        self._gateway, self._cache, self._enqueue, self._clock = gateway, cache, enqueue, clock
        self._cursor = ""
        self._spent: dict[str, Spent] = {}
        self._told: dict[str, float] = {}
        self._one_at_a_time = asyncio.Lock()
        self._away = False

    def of(self, run_uid: str) -> Spent | None:
        """What the run has spent, as far as the gateway has told."""
        return self._spent.get(run_uid)

    def forget(self, run_uid: str) -> None:
        """The run is finished."""
        self._spent.pop(run_uid, None)
        self._told.pop(run_uid, None)

    async def grant(self, grant: Grant) -> Grant | GatewayFailure:
        """Have the gateway take it, and learn whether what was exhausted is so still: it judges again what is new."""
        async with self._one_at_a_time:
            failure = await self._gateway.grant(grant)
            if failure is not None:
                log.warning("run %s: what it may use of models was not taken: %s", grant.run_name, failure.message)
                return failure
            return await self._ask() or grant

    async def revoke(self, run_uid: str, attempt: int) -> bool | GatewayFailure:
        """Have the gateway refuse the attempt, and learn what the run has spent until then."""
        async with self._one_at_a_time:
            return await self._gateway.revoke(run_uid, attempt) or await self._ask() or True

    async def look(self) -> None:
        """Ask what has changed; a gateway that is away is asked again the next time."""
        async with self._one_at_a_time:
            failure = await self._ask()
        if (failure is not None) != self._away:
            self._away = failure is not None
            log.warning("the gateway: %s", failure.message if failure is not None else "it answers again")

    async def _ask(self) -> GatewayFailure | None:
        answer = await self._gateway.spent(self._cursor)
        if isinstance(answer, GatewayFailure):
            return answer
        self._cursor = answer.cursor
        for spent in answer.runs:
            self._take_in(spent)
        return None

    def _take_in(self, spent: Spent) -> None:
        before, now = self._spent.get(spent.run_uid), self._clock.monotonic()
        self._spent[spent.run_uid] = spent
        news = spent.exhausted is not None and (before is None or before.exhausted != spent.exhausted)
        if news or now - self._told.get(spent.run_uid, float("-inf")) >= TOLD_SECONDS:
            self._told[spent.run_uid] = now
            for pod in self._cache.pods_of(spent.run_uid):
                if pod.owner is not None:
                    self._enqueue(Key(Kind.RUN, pod.namespace, pod.owner.name))
