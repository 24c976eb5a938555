"""The next step of a batch where whole lives do not look: timers to the second, and what is told of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.autopack_operator.builders import APPROVED, DENIED, NOW, BatchBuilder, child, later, stamp

from autopack_operator.domain import turns
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.api.status import RunBatchStatus
from autopack_operator.domain.batch.decide import CREATE_AT_ONCE, REJECTED_SECONDS, decide
from autopack_operator.domain.batch.memory import BatchMemory
from autopack_operator.domain.batch.world import BatchStep, BatchWorld, CreateRuns, WriteBatchStatus
from autopack_operator.domain.run.ttl import Delete, after_the_end
from autopack_operator.domain.run.world import Wait
from autopack_operator.domain.views import BatchView, RunView


def world_of(batch: BatchView, *children: RunView, quiet_for: float = 1e9, **learnt: Any) -> BatchWorld:
    """What a decision sees: an anchor that allows four runs, these children, and what else was learnt."""
    known = BatchMemory.of(batch)
    for run in children:
        known.census.see(run)
    fields: dict[str, Any] = {"anchor": APPROVED, "runs_told": True} | learnt
    spec, error = known.spec_of(batch)
    return BatchWorld(spec, replace(known, **fields), error, quiet_for)


def step(builder: BatchBuilder, *phases: str, **seen: Any) -> BatchStep:
    batch = builder.view()
    return decide(batch, world_of(batch, *of_batch(builder, *phases), **seen), NOW)


def of_batch(builder: BatchBuilder, *phases: str) -> list[RunView]:
    """Its first runs, in these phases."""
    ids = [item["id"] for item in builder.body()["spec"]["runs"]]
    return [
        child(builder.view(), identity).status(phase=phase, reason="CommandFailed").view()
        for identity, phase in zip(ids, phases, strict=False)
    ]


def written(builder: BatchBuilder, *phases: str, **seen: Any) -> RunBatchStatus:
    found = step(builder, *phases, **seen)
    assert isinstance(found, WriteBatchStatus)
    return found.status


def told(builder: BatchBuilder, *phases: str, **seen: Any) -> tuple[str, str, str]:
    status = written(builder, *phases, **seen)
    return status.phase, status.reason, status.message


def settled(builder: BatchBuilder, *phases: str, **seen: Any) -> BatchBuilder:
    """The batch as it is once what is told of it now was written."""
    return builder.status(**written(builder, *phases, **seen).model_dump(by_alias=True, mode="json"))


def test_what_goes_on_is_told_without_a_message() -> None:
    assert told(BatchBuilder(), "Running", turns=0) == ("Running", "RunsActive", "")


def test_an_anchor_that_is_withdrawn_lets_what_runs_go_on() -> None:
    said = "no new runs start: the anchor blocks parallel runs"
    assert told(BatchBuilder(), "Running", anchor=DENIED) == ("Running", "ParallelismNotAllowed", said)


def test_a_run_that_the_api_server_rejects_is_told_in_bounds_and_tried_again_later() -> None:
    batch = BatchBuilder()
    status = written(batch, "Running", rejected="exceeded quota" + "x" * 10_000)
    assert (status.phase, status.reason, status.message[:14]) == ("Running", "RunRejected", "exceeded quota")
    assert len(status.message) < 2_000
    assert step(settled(batch, "Running", rejected="q"), "Running", rejected="q") == Wait(REJECTED_SECONDS)


def test_a_batch_that_waits_for_its_turn_names_the_profile() -> None:
    said = "waits for its turn: RunProfile 'default' has maxConcurrentRuns runs under way"
    assert told(BatchBuilder(), turns=0) == ("Running", turns.REASON, said)


def test_a_batch_that_began_to_wait_just_now_is_not_told_so_for_five_seconds() -> None:
    batch = settled(BatchBuilder(), "Succeeded", turns=0, quiet_for=4.0)
    assert batch.view().status.reason == "RunsActive"
    assert step(batch, "Succeeded", turns=0, quiet_for=4.0) == Wait(1.0)


@pytest.mark.parametrize(("quiet_for", "left"), [(0.0, 1.0), (0.75, 0.25)])
def test_counters_are_written_once_a_second_at_most(quiet_for: float, left: float) -> None:
    batch = settled(BatchBuilder(workers=3), "Running", turns=0)
    assert step(batch, "Succeeded", "Running", turns=0, quiet_for=quiet_for) == Wait(left)


def test_counters_are_written_when_a_second_is_over_and_a_new_phase_at_once() -> None:
    batch = settled(BatchBuilder(workers=3), "Running", turns=0)
    assert written(batch, "Succeeded", "Running", turns=0, quiet_for=1.0).succeeded == 1
    assert written(batch, "Succeeded", "Succeeded", "Succeeded", quiet_for=0.0).phase == "Succeeded"


def test_no_step_creates_more_runs_than_its_bound() -> None:
    ids = tuple(f"r{number}" for number in range(2 * CREATE_AT_ONCE))
    found = step(
        BatchBuilder(ids=ids, workers=len(ids)), anchor=replace(APPROVED, max_concurrent_runs=10**6), turns=10**6
    )
    assert isinstance(found, CreateRuns)
    assert len(found.starts) == CREATE_AT_ONCE


def test_a_pace_of_less_than_a_second_left_is_waited_for() -> None:
    batch = settled(BatchBuilder(workers=3).spec(startIntervalSeconds=10), "Running", last_start=later(-9.5))
    assert step(batch, "Running", last_start=later(-9.5)) == Wait(0.5)


def test_the_pace_is_kept_by_what_is_stored_when_nobody_remembers() -> None:
    batch = BatchBuilder(workers=3).spec(startIntervalSeconds=10).status(lastStartAt=stamp(-2))
    assert step(settled(batch)) == Wait(9.0)


@pytest.mark.parametrize(("age", "expected"), [(9, Wait(1.0)), (10, Delete())])
def test_the_time_to_live_is_waited_for_to_its_end(age: float, expected: Wait | Delete) -> None:
    ended = BatchBuilder().status(phase="Succeeded", finishedAt=stamp(-age))
    assert after_the_end(ended.spec(ttlSecondsAfterFinished={"succeeded": 10}).view(), NOW) == expected


def failing(**policy: object) -> JsonDict:
    return {"failurePolicy": policy}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (failing(maxFailed=0), ("Failed", "TooManyRunsFailed", "1 run failed; spec.failurePolicy.maxFailed is 0")),
        (
            failing(stopOn=["CommandFailed"]),
            ("Failed", "StoppedOnFailure", "many-a ended with CommandFailed, which ends the batch"),
        ),
    ],
)
def test_why_a_batch_gave_up_is_told_with_its_figures(spec: JsonDict, said: tuple[str, str, str]) -> None:
    assert told(BatchBuilder().spec(**spec), "Failed") == said


def test_how_all_ended_is_told_with_its_figures() -> None:
    assert told(BatchBuilder(ids=("a",)), "Succeeded") == ("Succeeded", "Completed", "the only run succeeded")
    assert told(BatchBuilder(), *3 * ["Failed"])[2] == "3 of 3 runs did not succeed"


def test_of_names_that_are_taken_three_are_told() -> None:
    builder = BatchBuilder(ids=("a", "b", "c", "d"))
    world = world_of(builder.view())
    for name in ("many-d", "many-c", "many-b", "many-a"):
        world.known.census.take(name)
    found = decide(builder.view(), world, NOW)
    assert isinstance(found, WriteBatchStatus)
    assert found.status.message == (
        "4 of 4 runs did not succeed; not this batch's own, so never touched: AutopackRun many-a, many-b, many-c"
    )
