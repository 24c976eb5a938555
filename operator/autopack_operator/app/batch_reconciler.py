"""Reconciles one RunBatch: observe, decide, carry out the step, and again until the decision is to wait."""

from __future__ import annotations

from pydantic import ValidationError

from autopack.errors import printable
from autopack.phases import Phase
from autopack_operator.app.batch_memory import BatchMemories, BatchMemory
from autopack_operator.app.batch_steps import BatchPorts, BatchSteps
from autopack_operator.app.parsed_spec import explain
from autopack_operator.app.run_reconciler import GONE_SECONDS, TooManyStepsError
from autopack_operator.domain.api.status import RunBatchStatus
from autopack_operator.domain.batch.cancellation import cancels_its_runs
from autopack_operator.domain.batch.decide import after_the_end, decide
from autopack_operator.domain.batch.world import BatchStep, BatchWorld, DeleteBatch
from autopack_operator.domain.conditions import MAX_MESSAGE
from autopack_operator.domain.keys import Key
from autopack_operator.domain.run import ttl
from autopack_operator.domain.run.world import Wait
from autopack_operator.domain.times import rfc3339
from autopack_operator.domain.views import BatchView
from autopack_operator.ports.cluster import GoneError

MAX_STEPS = 64


class BatchReconciler:
    """See domain/batch/decide.py for the policy."""

    def __init__(self, ports: BatchPorts) -> None:
        self._ports, self._steps = ports, BatchSteps(ports)
        self._memories = BatchMemories(ports.cache)

    async def reconcile(self, key: Key) -> float | None:
        """One level-triggered pass; returns when to look again."""
        batch = self._ports.cache.batch(key.namespace, key.name)
        if batch is None or batch.deleting:
            self._leave(key)
            return None
        if batch.terminal:
            return await self._after_the_end(key, batch)
        try:
            return await self._pass(key, batch)
        except GoneError:
            self._leave(key)
            return GONE_SECONDS

    def _leave(self, key: Key) -> None:
        self._memories.forget(key)
        self._ports.turnstile.left(key)

    async def _pass(self, key: Key, batch: BatchView) -> float | None:
        try:
            memory = self._memories.of(key, batch)
        except ValidationError as error:
            return await self._after_the_end(key, await self._steps.write(batch, self._invalid(batch, error)))
        memory.forget_answers_that_age(self._ports.clock.monotonic())
        step: BatchStep = Wait()
        for _ in range(MAX_STEPS):
            if batch.terminal:
                return await self._after_the_end(key, batch)
            memory.take_in(self._ports.cache, batch)
            if cancels_its_runs(batch):
                self._steps.wake_runs(batch, memory)
            step = decide(batch, self._world(memory), self._ports.clock.now())
            if isinstance(step, Wait):
                if memory.turns is None:
                    self._ports.turnstile.withdraw(key)
                return step.seconds
            batch = await self._steps.take(step, batch, memory)
        raise TooManyStepsError(f"{key.name}: {MAX_STEPS} steps without a rest, the last {step}")

    async def _after_the_end(self, key: Key, batch: BatchView) -> float | None:
        self._leave(key)
        step = after_the_end(batch, ttl.limits_of(batch.spec), self._ports.clock.now())
        if isinstance(step, DeleteBatch):
            await self._ports.batches.delete(batch)
        return step.seconds if isinstance(step, Wait) else None

    def _world(self, memory: BatchMemory) -> BatchWorld:
        return BatchWorld(
            spec=memory.spec,
            census=memory.census,
            anchor=memory.anchor,
            turns=memory.turns,
            rejected=memory.rejected,
            last_start=memory.last_start,
            quiet_for=self._ports.clock.monotonic() - memory.written_at,
        )

    def _invalid(self, batch: BatchView, error: ValidationError) -> RunBatchStatus:
        return RunBatchStatus(
            observed_generation=batch.generation,
            phase=Phase.REFUSED,
            reason="InvalidSpec",
            message=printable(explain(error), MAX_MESSAGE),
            finished_at=rfc3339(self._ports.clock.now()),
        )
