"""Reconciles one AutopackRun: observe, decide, carry out the step, and again until the decision is to wait."""

from __future__ import annotations

from collections.abc import Callable

from autopack_operator.app.parsed_spec import ParsedProfiles
from autopack_operator.app.run_memory import RunMemories, RunMemory
from autopack_operator.app.run_steps import RunSteps
from autopack_operator.app.run_world import observe
from autopack_operator.app.turnstile import Turnstile
from autopack_operator.domain.keys import Key
from autopack_operator.domain.run import ttl
from autopack_operator.domain.run.decide import after_the_end, attempt_in_work, decide
from autopack_operator.domain.run.world import DeleteRun, Step, Wait
from autopack_operator.domain.turns import occupies
from autopack_operator.domain.views import RunView
from autopack_operator.ports.clock import Clock
from autopack_operator.ports.cluster import Cache, GoneError

MAX_STEPS = 16
"""More steps than any path from one wait to the next has; a loop beyond it would be a bug, and backs off."""

GONE_SECONDS = 30.0
"""The API server says that something is gone which the cache still has: the event may be lost, so look again."""


class TooManyStepsError(Exception):
    """The decision did not come to rest."""


class RunReconciler:
    """See domain/run/decide.py for what happens in which order."""

    def __init__(
        self,
        cache: Cache,
        steps: RunSteps,
        memories: RunMemories,
        clock: Clock,
        turnstile: Turnstile,
        crowded: Callable[[], bool],
    ) -> None:
        self._cache, self._steps, self._memories, self._clock = cache, steps, memories, clock
        self._crowded = crowded
        self._turnstile, self._profiles = turnstile, ParsedProfiles(cache)

    async def reconcile(self, key: Key) -> float | None:
        """One level-triggered pass; returns when to look again."""
        run = self._cache.run(key.namespace, key.name)
        if run is None or run.deleting:
            self._memories.forget(key)
            self._turnstile.left(key)
            return None
        memory = self._memories.of(key, run.uid)
        memory.forget_answers_that_age()
        step: Step = Wait()
        try:
            for _ in range(MAX_STEPS):
                step = self._decide(run, memory)
                if isinstance(step, Wait):
                    return step.seconds
                run = await self._steps.take(step, run, memory)
        except GoneError:
            self._memories.forget(key)
            return None if isinstance(step, DeleteRun) else GONE_SECONDS
        finally:
            if run.terminal:
                self._memories.forget(key)
                self._turnstile.left(key)
            elif memory.turn is None and not occupies(run):
                self._turnstile.left(key)
        raise TooManyStepsError(f"{key.name}: {MAX_STEPS} steps without a rest, the last {step}")

    def _decide(self, run: RunView, memory: RunMemory) -> Step:
        now = self._clock.now()
        if run.terminal:
            return after_the_end(run, ttl.limits_of(run.spec), now)
        memory.forget_other_attempts(attempt_in_work(run))
        world = observe(self._cache, self._profiles, run, memory, now, crowded=self._crowded())
        return decide(run, world, now)
