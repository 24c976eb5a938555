"""Carries out the steps that domain/batch/decide.py asks for. Each is safe to repeat; each answer is remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from autopack_operator.app.anchors import anchor_verdict
from autopack_operator.app.transition_log import TransitionLog
from autopack_operator.app.turnstile import Turnstile
from autopack_operator.domain.api.status import RunBatchStatus
from autopack_operator.domain.batch.census import Start
from autopack_operator.domain.batch.children import run_manifest
from autopack_operator.domain.batch.memory import BatchMemory
from autopack_operator.domain.batch.world import (
    AskForTurns,
    BatchStep,
    CreateRuns,
    LookUpRuns,
    WakeRuns,
    WriteBatchStatus,
)
from autopack_operator.domain.keys import Key, Kind
from autopack_operator.domain.run.world import ReadAnchor, Wait
from autopack_operator.domain.views import BatchView, RunView
from autopack_operator.ports.cluster import ForeignObjectError, RejectedError
from autopack_operator.ports.ports import Ports

CREATES_AT_ONCE = 8


class BatchSteps:
    """Implements reconciler.Steps."""

    def __init__(self, ports: Ports, turnstile: Turnstile, enqueue: Callable[[Key], None]) -> None:
        self._ports, self._turnstile, self._enqueue = ports, turnstile, enqueue
        self._transitions = TransitionLog(ports.events, ports.telemetry, ports.history)

    async def take(self, step: BatchStep, batch: BatchView, memory: BatchMemory) -> BatchView:
        """Carry the step out; returns the batch as it is afterwards."""
        match step:
            case ReadAnchor():
                memory.anchor = await anchor_verdict(self._ports.configmaps, batch.namespace, batch.anchor)
                memory.anchor_read_at = self._ports.clock.monotonic()
            case AskForTurns(number):
                memory.turns = await self._ask(batch, memory, number)
            case CreateRuns(starts):
                await self._create(batch, memory, starts)
            case LookUpRuns(names):
                await self._look_up(batch, memory, names)
            case WriteBatchStatus(status):
                return await self._write(batch, status, memory)
            case WakeRuns():
                self._wake_runs(batch, memory)
            case Wait():
                if memory.turns is None:
                    self._turnstile.withdraw(Key(Kind.BATCH, batch.namespace, batch.name))
            case _:
                raise TypeError(f"no such step: {step!r}")
        return batch

    async def delete(self, batch: BatchView) -> None:
        """Its runs go with it."""
        await self._ports.batches.delete(batch)

    async def _write(self, batch: BatchView, status: RunBatchStatus, memory: BatchMemory) -> BatchView:
        written = await self._ports.batches.write_status(batch, status)
        memory.written_at = self._ports.clock.monotonic()
        self._ports.cache.batches.put(written)
        self._transitions.batch_changed(batch, written)
        return written

    async def _ask(self, batch: BatchView, memory: BatchMemory, number: int) -> int:
        name = memory.spec_of(batch)[0].template.profile_ref.name
        if self._ports.cache.profiles.get(batch.namespace, name) is None:
            # It may be younger than the cache.
            profile = await self._ports.profiles.get(batch.namespace, name)
            if profile is not None:
                self._ports.cache.profiles.put(profile)
        names = [memory.census.names[index] for index, _ in memory.census.startable(number)]
        return self._turnstile.ask_for_batch(batch, name, names)

    async def _create(self, batch: BatchView, memory: BatchMemory, starts: Iterable[Start]) -> None:
        gate = asyncio.Semaphore(CREATES_AT_ONCE)
        memory.turns = None
        spec, _ = memory.spec_of(batch)

        async def create(start: Start) -> None:
            index, item = start
            name = memory.census.names[index]
            async with gate:
                try:
                    run = await self._ports.runs.create(run_manifest(batch, spec, index, item))
                except ForeignObjectError:
                    await self._taken(batch, memory, name)
                    self._turnstile.not_made(batch.namespace, name)
                except RejectedError as error:
                    memory.rejected = str(error)
                    self._turnstile.not_made(batch.namespace, name)
                else:
                    self._remember(run, memory)
                    memory.last_start = self._ports.clock.now()

        # All of them end before the next decision: one that is still on its way would not be counted by it.
        for outcome in await asyncio.gather(*map(create, starts), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _taken(self, batch: BatchView, memory: BatchMemory, name: str) -> None:
        """The name is somebody else's, or still that of a run of the batch that had this batch's name before it: those
        are being deleted with their batch, and then the name is free.
        """
        found = await self._ports.runs.get(batch.namespace, name)
        owner = found.owner if found is not None else None
        if found is None or (owner is not None and (owner.kind, owner.name) == (Kind.BATCH, batch.name)):
            memory.rejected = f"AutopackRun {name} of an earlier RunBatch {batch.name} has to be deleted first"
        else:
            memory.census.take(name)

    async def _look_up(self, batch: BatchView, memory: BatchMemory, names: Iterable[str]) -> None:
        for name in names:
            run = await self._ports.runs.get(batch.namespace, name)
            if run is not None and run.owner is not None and run.owner.uid == batch.uid:
                self._remember(run, memory)
            else:
                memory.census.lose(name)

    def _remember(self, run: RunView, memory: BatchMemory) -> None:
        self._ports.cache.remember_run(run)
        memory.census.see(run)
        # The watch tells nobody of a state that is known already.
        self._enqueue(Key(Kind.RUN, run.namespace, run.name))

    def _wake_runs(self, batch: BatchView, memory: BatchMemory) -> None:
        for name in memory.census.active_names():
            self._enqueue(Key(Kind.RUN, batch.namespace, name))
        memory.runs_told = True
