"""One pass: observe, decide, take, until the decision is to wait. What was learnt is kept by object, not by name."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest
from tests.unit.autopack_operator.app.held_loop import LoopClock, play
from tests.unit.autopack_operator.builders import NAMESPACE, RunBuilder
from tests.unit.autopack_operator.fakes import NothingMore

from autopack.phases import Phase
from autopack_operator.app.reconciler import GONE_SECONDS, Reconciler, TooManyStepsError
from autopack_operator.app.turnstile import Turnstile
from autopack_operator.cache import Cache
from autopack_operator.domain.keys import Key, Kind
from autopack_operator.domain.run.memory import RunMemory
from autopack_operator.domain.run.world import ReadAnchor, Step, Wait
from autopack_operator.domain.views import RunView
from autopack_operator.ports.cluster import GoneError

KEY = Key(Kind.RUN, NAMESPACE, "one")
MAX_STEPS = 4


@dataclass
class Scripted:
    """Sight, decision and steps in one: what is seen is the memory itself, and what is decided stands in a list."""

    run: RunView | None = field(default_factory=lambda: RunBuilder().view())
    decisions: list[Step] = field(default_factory=list)
    memories: list[RunMemory] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    phase: str = ""
    gone: bool = False

    def find(self, namespace: str, name: str) -> RunView | None:
        return self.run

    def first(self, view: RunView) -> RunMemory:
        return RunMemory()

    def observe(self, view: RunView, memory: RunMemory, now: datetime) -> RunMemory:
        self.memories.append(memory)
        return memory

    def decide(self, view: RunView, world: RunMemory, now: datetime) -> Step:
        return self.decisions.pop(0) if self.decisions else Wait(7.0)

    async def take(self, step: Step, view: RunView, memory: RunMemory) -> RunView:
        if self.gone:
            raise GoneError
        return replace(view, status=view.status.model_copy(update={"phase": self.phase}))

    async def delete(self, view: RunView) -> None:
        self.deleted.append(view.uid)


def passes(script: Scripted, *runs: RunView | None) -> list[float | None]:
    """One pass for each state of the run."""

    async def program() -> list[float | None]:
        cache, clock = Cache(), LoopClock()
        turnstile = Turnstile(cache, clock, lambda _: None)
        reconciler = Reconciler(script, script.decide, script, NothingMore(), turnstile, clock, MAX_STEPS)
        answers = []
        for script.run in runs:
            answers.append(await reconciler.reconcile(KEY))
            await asyncio.sleep(0)
        return answers

    return play(program())


def test_it_goes_on_until_the_decision_is_to_wait() -> None:
    script = Scripted(decisions=[ReadAnchor(), ReadAnchor(), Wait(3.0)])
    assert passes(script, RunBuilder().view()) == [3.0]
    assert script.decisions == []


def test_a_decision_that_does_not_come_to_rest_is_a_bug() -> None:
    with pytest.raises(TooManyStepsError):
        passes(Scripted(decisions=[ReadAnchor()] * MAX_STEPS), RunBuilder().view())


def test_what_was_learnt_is_kept_from_pass_to_pass() -> None:
    script, run = Scripted(), RunBuilder().view()
    passes(script, run, run)
    assert script.memories[0] is script.memories[1]


def test_a_run_made_anew_under_its_old_name_starts_without_memory() -> None:
    script, run = Scripted(), RunBuilder().view()
    passes(script, run, replace(run, uid="new"))
    assert script.memories[0] is not script.memories[1]


@pytest.mark.parametrize("between", [None, replace(RunBuilder().view(), deleting=True)])
def test_nothing_is_kept_of_what_is_gone(between: RunView | None) -> None:
    script, run = Scripted(), RunBuilder().view()
    assert passes(script, run, between, run) == [7.0, None, 7.0]
    assert script.memories[0] is not script.memories[1]


def test_what_the_api_server_no_longer_has_is_looked_at_again_later() -> None:
    script, run = Scripted(gone=True), RunBuilder().view()
    assert passes(script, run, run) == [GONE_SECONDS] * 2
    assert script.memories[0] is not script.memories[1]


def test_at_its_end_nothing_more_is_decided_and_only_its_time_to_live_is_left() -> None:
    script = Scripted(decisions=[ReadAnchor(), ReadAnchor()], phase=Phase.SUCCEEDED)
    assert passes(script, RunBuilder().view()) == [None]
    assert script.decisions == [ReadAnchor()]
    assert script.deleted == []


def test_when_its_time_to_live_is_over_it_is_deleted() -> None:
    run = RunBuilder().spec(ttlSecondsAfterFinished={"succeeded": 0}).view()
    status = run.status.model_copy(update={"phase": Phase.SUCCEEDED, "finished_at": "2020-01-01T00:00:00Z"})
    script = Scripted()
    assert passes(script, replace(run, status=status)) == [None]
    assert (script.deleted, script.memories) == ([run.uid], [])
