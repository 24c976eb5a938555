"""Reconciles one RunBatch: observe, decide, carry out the step, and again until the decision is to wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pydantic import ValidationError

from autopack.errors import printable
from autopack_operator.app.anchors import AnchorReader
from autopack_operator.app.run_reconciler import GONE_SECONDS, TooManyStepsError
from autopack_operator.app.run_world import explain
from autopack_operator.app.transition_log import TransitionLog
from autopack_operator.domain.api.batch import BatchItem, RunBatchSpec
from autopack_operator.domain.api.status import RunBatchStatus
from autopack_operator.domain.batch.children import run_manifest
from autopack_operator.domain.batch.decide import decide
from autopack_operator.domain.batch.world import (
    BatchStep,
    BatchWorld,
    CreateRuns,
    LookUpRuns,
    WriteBatchStatus,
)
from autopack_operator.domain.conditions import MAX_MESSAGE
from autopack_operator.domain.keys import Key, Kind
from autopack_operator.domain.run.world import ReadAnchor, Wait
from autopack_operator.domain.times import rfc3339
from autopack_operator.domain.views import AnchorVerdict, BatchView
from autopack_operator.ports.clock import Clock
from autopack_operator.ports.cluster import Batches, Cache, ForeignObjectError, GoneError, RejectedError, Runs

ANCHOR_SECONDS = 30.0
"""How long the answer of the gate holds while a batch runs; a withdrawn anchor stops new starts within this time."""

MAX_STEPS = 64
CREATES_AT_ONCE = 8


@dataclass(slots=True)
class BatchFacts:
    """What this process has learnt about a batch under way; it can all be learnt again."""

    uid: str
    generation: int = -1
    spec: RunBatchSpec | None = None
    anchor: AnchorVerdict | None = None
    anchor_read_at: float = 0.0
    lost: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    rejected: str = ""
    written_at: float = float("-inf")


@dataclass(frozen=True)
class BatchPorts:
    """What the steps act on."""

    cache: Cache
    batches: Batches
    runs: Runs
    anchors: AnchorReader
    transitions: TransitionLog
    clock: Clock
    enqueue: Callable[[Key], None]


class BatchReconciler:
    """See domain/batch/decide.py for the policy."""

    def __init__(self, ports: BatchPorts) -> None:
        self._ports = ports
        self._facts: dict[Key, BatchFacts] = {}

    async def reconcile(self, key: Key) -> float | None:
        """One level-triggered pass; returns when to look again."""
        batch = self._ports.cache.batch(key.namespace, key.name)
        if batch is None or batch.deleting or batch.terminal:
            self._facts.pop(key, None)
            return None
        facts = self._facts.get(key)
        if facts is None or facts.uid != batch.uid:
            facts = self._facts[key] = BatchFacts(batch.uid)
        facts.rejected = ""
        self._wake_canceled_runs(batch)
        try:
            for _ in range(MAX_STEPS):
                step = self._decide(batch, facts)
                if isinstance(step, Wait):
                    return step.seconds
                batch = await self._take(step, batch, facts)
        except GoneError:
            self._facts.pop(key, None)
            return GONE_SECONDS
        raise TooManyStepsError(f"{key.name}: {MAX_STEPS} steps without a rest, the last {step}")

    def _wake_canceled_runs(self, batch: BatchView) -> None:
        """A run reads `cancel` from its batch; it must look when that changes."""
        if batch.spec.get("cancel") is True and batch.status.observed_generation != batch.generation:
            for run in self._ports.cache.runs_of(batch.uid):
                if not run.terminal:
                    self._ports.enqueue(Key(Kind.RUN, run.namespace, run.name))

    def _decide(self, batch: BatchView, facts: BatchFacts) -> BatchStep:
        clock = self._ports.clock
        if facts.spec is None or facts.generation != batch.generation:
            try:
                facts.spec = RunBatchSpec.model_validate(batch.spec)
            except ValidationError as error:
                return self._invalid(batch, error)
            facts.generation = batch.generation
        if clock.monotonic() - facts.anchor_read_at > ANCHOR_SECONDS:
            facts.anchor = None
        world = BatchWorld(
            spec=facts.spec,
            children={run.name: run for run in self._ports.cache.runs_of(batch.uid)},
            anchor=facts.anchor,
            lost=frozenset(facts.lost),
            taken=frozenset(facts.taken),
            rejected=facts.rejected,
            quiet_for=clock.monotonic() - facts.written_at,
        )
        return decide(batch, world, clock.now())

    def _invalid(self, batch: BatchView, error: ValidationError) -> BatchStep:
        if batch.terminal:
            return Wait()
        status = RunBatchStatus(
            observed_generation=batch.generation,
            phase="Refused",
            reason="InvalidSpec",
            message=printable(explain(error), MAX_MESSAGE),
            finished_at=rfc3339(self._ports.clock.now()),
        )
        return WriteBatchStatus(status)

    async def _take(self, step: BatchStep, batch: BatchView, facts: BatchFacts) -> BatchView:
        match step:
            case ReadAnchor():
                facts.anchor = await self._ports.anchors.verdict(batch.namespace, batch.anchor)
                facts.anchor_read_at = self._ports.clock.monotonic()
            case CreateRuns(items):
                await self._create(batch, facts, items)
            case LookUpRuns(names):
                await self._look_up(batch, facts, names)
            case WriteBatchStatus(status):
                written = await self._ports.batches.write_status(batch, status)
                facts.written_at = self._ports.clock.monotonic()
                self._ports.cache.remember_batch(written)
                self._ports.transitions.batch_changed(batch, written)
                return written
            case _:
                raise TypeError(f"no such step: {step!r}")
        return batch

    async def _create(self, batch: BatchView, facts: BatchFacts, items: Iterable[tuple[int, BatchItem]]) -> None:
        spec = facts.spec
        if spec is None:
            raise TypeError("a batch is parsed before its runs are created")
        gate = asyncio.Semaphore(CREATES_AT_ONCE)

        async def create(index: int, item: BatchItem) -> None:
            manifest = run_manifest(batch, spec, index, item)
            async with gate:
                try:
                    self._ports.cache.remember_run(await self._ports.runs.create(manifest))
                except ForeignObjectError:
                    facts.taken.add(manifest["metadata"]["name"])
                except RejectedError as error:
                    facts.rejected = str(error)

        # All of them end before the next decision: one that is still on its way would not be counted by it.
        for outcome in await asyncio.gather(*(create(*item) for item in items), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _look_up(self, batch: BatchView, facts: BatchFacts, names: Iterable[str]) -> None:
        for name in names:
            run = await self._ports.runs.get(batch.namespace, name)
            if run is not None and run.owner is not None and run.owner.uid == batch.uid:
                self._ports.cache.remember_run(run)
            else:
                facts.lost.add(name)
