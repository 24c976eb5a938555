"""One pass over a run or a batch: observe, decide, take the step, and again until the decision is to wait."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from autopack_operator.app.turnstile import Turnstile
from autopack_operator.domain.keys import Key
from autopack_operator.domain.run.ttl import Delete, after_the_end
from autopack_operator.domain.run.world import Wait
from autopack_operator.domain.views import BatchView, RunView
from autopack_operator.ports.clock import Clock
from autopack_operator.ports.cluster import GoneError

GONE_SECONDS = 30.0
"""The API server says that something is gone which the cache still has: the event may be lost, so look again."""


class Memory(Protocol):
    """What was learnt about one object. It can all be learnt again: losing it costs requests only."""

    def forget_answers_that_age(self, monotonic: float) -> None:
        """At the start of a pass: ask again what was refused, pending or absent the last time."""
        ...


ViewT = TypeVar("ViewT", RunView, BatchView)
MemoryT = TypeVar("MemoryT", bound=Memory)
WorldT = TypeVar("WorldT")
StepT = TypeVar("StepT")
Learner = TypeVar("Learner", contravariant=True)
Seen = TypeVar("Seen", covariant=True)
Taken = TypeVar("Taken", contravariant=True)


class Sight(Protocol[ViewT, MemoryT, Seen]):
    """Observes: everything that a decision looks at, from the cache and from what was learnt."""

    def find(self, namespace: str, name: str) -> ViewT | None:
        """The object as the cache has it."""
        ...

    def first(self, view: ViewT) -> MemoryT:
        """What is known of an object that nothing was learnt of yet."""
        ...

    def observe(self, view: ViewT, memory: MemoryT, now: datetime) -> Seen:
        """The world as this process knows it."""
        ...


class Steps(Protocol[ViewT, Learner, Taken]):
    """Carries out what was decided. Each step is safe to repeat; each answer is remembered."""

    async def take(self, step: Taken, view: ViewT, memory: Learner) -> ViewT:
        """Returns the object as it is afterwards."""
        ...

    async def delete(self, view: ViewT) -> None:
        """Its time to live is over."""
        ...


class Epilogue(Protocol[ViewT]):
    """Goes on with what is in a terminal phase, which never changes."""

    async def bring_on(self, key: Key, view: ViewT) -> tuple[ViewT, float | None]:
        """Returns the object as it is afterwards, and when to look again."""
        ...

    def forget(self, key: Key) -> None:
        """The object is gone, or on its way."""
        ...


class TooManyStepsError(Exception):
    """The decision did not come to rest."""


class Reconciler(Generic[ViewT, MemoryT, WorldT, StepT]):
    """One kind. `max_steps` is more than any path from one wait to the next has; a loop beyond it would be a bug, and
    backs off.
    """

    def __init__(
        self,
        sight: Sight[ViewT, MemoryT, WorldT],
        decide: Callable[[ViewT, WorldT, datetime], StepT],
        steps: Steps[ViewT, MemoryT, StepT],
        epilogue: Epilogue[ViewT],
        turnstile: Turnstile,
        clock: Clock,
        max_steps: int,
    ) -> None:
        self._sight: Sight[ViewT, MemoryT, WorldT] = sight
        self._decide: Callable[[ViewT, WorldT, datetime], StepT] = decide
        self._steps: Steps[ViewT, MemoryT, StepT] = steps
        self._epilogue: Epilogue[ViewT] = epilogue
        self._turnstile, self._clock, self._max_steps = turnstile, clock, max_steps
        self._memories: dict[Key, tuple[str, MemoryT]] = {}

    async def reconcile(self, key: Key) -> float | None:
        """One level-triggered pass; returns when to look again."""
        view = self._sight.find(key.namespace, key.name)
        if view is None or view.deleting:
            self._leave(key)
            self._epilogue.forget(key)
            return None
        try:
            if not view.terminal:
                view, again = await self._bring_on(key, view)
                if not view.terminal:
                    return again
            self._leave(key)
            return await self._after_the_end(key, view)
        except GoneError:
            self._leave(key)
            return GONE_SECONDS

    async def _bring_on(self, key: Key, view: ViewT) -> tuple[ViewT, float | None]:
        """Step by step, until there is nothing to do for so long, or it has come to its end."""
        memory = self._memory_of(key, view)
        memory.forget_answers_that_age(self._clock.monotonic())
        for _ in range(self._max_steps):
            now = self._clock.now()
            step = self._decide(view, self._sight.observe(view, memory, now), now)
            view = await self._steps.take(step, view, memory)
            if isinstance(step, Wait):
                return view, step.seconds
            if view.terminal:
                return view, None
        raise TooManyStepsError(f"{key.name}: {self._max_steps} steps without a rest, the last {step}")

    async def _after_the_end(self, key: Key, view: ViewT) -> float | None:
        view, again = await self._epilogue.bring_on(key, view)
        step = after_the_end(view, self._clock.now())
        if isinstance(step, Delete):
            await self._steps.delete(view)
            return None
        return min((seconds for seconds in (again, step.seconds) if seconds is not None), default=None)

    def _memory_of(self, key: Key, view: ViewT) -> MemoryT:
        """An object that comes back under the same name with a new UID starts with none."""
        known = self._memories.get(key)
        if known is None or known[0] != view.uid:
            known = self._memories[key] = (view.uid, self._sight.first(view))
        return known[1]

    def _leave(self, key: Key) -> None:
        """It is finished or gone."""
        self._memories.pop(key, None)
        self._turnstile.left(key)
