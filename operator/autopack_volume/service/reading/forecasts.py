"""Forecasts take a while and are asked for again and again: one at a time for each question, kept for a minute."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable

from cachetools import TTLCache

from autopack_volume.service.answers import Answer, Json
from autopack_volume.service.jobs import Jobs

_KEPT_SECONDS = 60.0
_KEPT = 64


class Forecasts:
    """Answers by question, as Jobs gives them, and the last ones again."""

    def __init__(self, jobs: Jobs, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._jobs = jobs
        self._kept: TTLCache[Hashable, Answer] = TTLCache(_KEPT, _KEPT_SECONDS, monotonic)

    async def answer(self, question: Hashable, work: Callable[[], Awaitable[Json]]) -> Answer:
        """Return what `work` says, now or within the last minute; PENDING while it is at work."""
        kept = self._kept.get(question)
        if kept is not None:
            return kept

        async def job() -> Answer:
            answer = self._kept[question] = Answer(200, await work())
            return answer

        return await self._jobs.answer(("forecast", question), job)
