"""Brings on the deliveries of finished runs: observe, decide, take the step, until the decision is to wait."""

from __future__ import annotations

from autopack_operator.app.parsed_profiles import ParsedProfiles
from autopack_operator.app.transition_log import TransitionLog
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.api.status import AutopackRunStatus
from autopack_operator.domain.delivery.decide import decide
from autopack_operator.domain.delivery.state import under_way
from autopack_operator.domain.delivery.world import Ask, DeliveryMemory, DeliveryWorld
from autopack_operator.domain.keys import Key
from autopack_operator.domain.parsed_spec import ParsedSpec
from autopack_operator.domain.run.memory import UNREADABLE
from autopack_operator.domain.run.world import LookUpProfile, Wait, WriteStatus
from autopack_operator.domain.views import RunView
from autopack_operator.ports.ports import Ports

MAX_STEPS = 16
SHARE = 4
"""One worker in so many may wait for the publisher; the others are for runs under way, whatever becomes of it."""

CROWDED_SECONDS = 1.0


class Deliveries:
    """Implements reconciler.Epilogue for runs."""

    def __init__(self, ports: Ports, dashboard: str, workers: int) -> None:
        self._ports, self._dashboard, self._most = ports, dashboard, max(1, workers // SHARE)
        self._profiles = ParsedProfiles(ports.cache)
        self._transitions = TransitionLog(ports.events, ports.telemetry, ports.history)
        self._memories: dict[Key, tuple[RunView, DeliveryMemory]] = {}
        self._asking = 0

    async def bring_on(self, key: Key, view: RunView) -> tuple[RunView, float | None]:
        """Step by step, until there is nothing to do for so long, or it has come to its end."""
        memory = self._memory_of(key, view)
        for _ in range(MAX_STEPS):
            if not under_way(view):
                self._memories.pop(key, None)
                return view, None
            self._memories[key] = view, memory
            step = decide(view, self._observe(view, memory), self._ports.clock.now())
            match step:
                case Wait(seconds):
                    return view, seconds
                case Ask() if self._asking >= self._most:
                    return view, CROWDED_SECONDS
                case Ask():
                    await self._ask(step, memory)
                case LookUpProfile(name):
                    await self._look_up(view, name, memory)
                case WriteStatus(status):
                    view = await self._write(view, status)
        return view, CROWDED_SECONDS

    def forget(self, key: Key) -> None:
        """The run is gone, or on its way. What its delivery would have been is told."""
        left = self._memories.pop(key, None)
        if left is not None:
            self._transitions.delivery_lost(left[0])

    def _memory_of(self, key: Key, view: RunView) -> DeliveryMemory:
        known = self._memories.get(key)
        memory = known[1] if known is not None and known[0].uid == view.uid else DeliveryMemory()
        memory.forget_answers_that_age()
        return memory

    def _observe(self, run: RunView, memory: DeliveryMemory) -> DeliveryWorld:
        spec, error = ParsedSpec(AutopackRunSpec).of(run.uid, run.generation, run.spec)
        known = spec or UNREADABLE
        profile, profile_error = self._profiles.of(run.namespace, known.profile_ref.name)
        return DeliveryWorld(known, memory, error, profile, profile_error, self._dashboard)

    async def _ask(self, step: Ask, memory: DeliveryMemory) -> None:
        self._asking += 1
        try:
            memory.learn(await self._ports.publisher.deliver(step.request))
        finally:
            self._asking -= 1

    async def _look_up(self, run: RunView, name: str, memory: DeliveryMemory) -> None:
        profile = await self._ports.profiles.get(run.namespace, name)
        memory.profile_absent = profile is None
        if profile is not None:
            self._ports.cache.profiles.put(profile)

    async def _write(self, run: RunView, status: AutopackRunStatus) -> RunView:
        written = await self._ports.runs.write_status(run, status)
        self._ports.cache.remember_run(written)
        self._transitions.run_changed(run, written, None)
        return written
