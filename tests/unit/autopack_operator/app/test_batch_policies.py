"""What ends a batch before all of its runs are finished, and what holds its starts up."""

from __future__ import annotations

import asyncio
import itertools
import json

import pytest
from tests.unit.autopack_operator.app import stories
from tests.unit.autopack_operator.app.kubelet import Fate
from tests.unit.autopack_operator.app.simulation import RESYNC_SECONDS, Simulation, live
from tests.unit.autopack_operator.builders import BatchBuilder, JsonDict, child, stamp
from tests.unit.autopack_operator.fake_api import Killed, Moment, Request

from autopack_operator.domain.times import parse

FAILS = Fate(exit_code=1, seconds=30)
SIX = tuple("abcdef")


def ending(lab: Simulation) -> tuple[str, str]:
    return lab.batch().status.phase, lab.batch().status.reason


def phases(lab: Simulation) -> dict[str, str]:
    found = [lab.run(body["metadata"]["name"]) for body in lab.api.all("AutopackRun")]
    return {run.name.removeprefix("many-"): run.status.phase for run in found}


def starts(lab: Simulation) -> list[float]:
    """Seconds between the creations of the runs, in the order of the items."""
    times = [parse(body["metadata"]["creationTimestamp"]) for body in lab.api.all("AutopackRun")]
    return [(after - before).total_seconds() for before, after in itertools.pairwise(times)]


def test_a_batch_that_gives_up_cancels_what_is_under_way_and_starts_no_more() -> None:
    lab = live(stories.batch_gives_up)
    assert ending(lab) == ("Failed", "TooManyRunsFailed")
    assert phases(lab) == {"a": "Failed", "b": "Canceled"}
    assert lab.batch().status.pending == 1


def test_a_batch_that_drains_lets_what_is_under_way_go_on() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates |= {"many-a": [FAILS], "many-b": [Fate(seconds=300)]}
        lab.apply(BatchBuilder(workers=2).spec(failurePolicy={"maxFailed": 0}))
        await asyncio.sleep(stories.A_WHILE)
        assert ending(lab) == ("Finishing", "TooManyRunsFailed")
        await lab.end()

    lab = live(story)
    assert ending(lab) == ("Failed", "TooManyRunsFailed")
    assert phases(lab) == {"a": "Failed", "b": "Succeeded"}


def test_a_batch_that_drains_can_still_be_canceled_and_keeps_its_end() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates |= {"many-a": [FAILS], "many-b": [stories.LONG]}
        lab.apply(BatchBuilder(workers=2).spec(failurePolicy={"maxFailed": 0}))
        await asyncio.sleep(stories.A_WHILE)
        lab.api.edit("RunBatch", "many", cancel=True)
        await lab.end()

    lab = live(story)
    assert (ending(lab), phases(lab)["b"]) == (("Failed", "TooManyRunsFailed"), "Canceled")


def test_failures_up_to_the_bound_do_not_end_a_batch() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["many-a"] = [FAILS]
        lab.apply(BatchBuilder().spec(failurePolicy={"maxFailed": 1}))
        await lab.end()

    lab = live(story)
    assert (ending(lab), phases(lab)) == (
        ("Failed", "RunsFailed"),
        {"a": "Failed", "b": "Succeeded", "c": "Succeeded"},
    )


@pytest.mark.parametrize(("reason", "made"), [("CommandFailed", 1), ("OOMKilled", 3)])
def test_a_batch_stops_at_a_failure_of_the_kinds_that_the_policy_names(reason: str, made: int) -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["many-a"] = [FAILS]
        lab.apply(BatchBuilder().spec(failurePolicy={"stopOn": ["ImagePullFailed", reason]}))
        await lab.end()

    lab = live(story)
    assert ending(lab) == ("Failed", "StoppedOnFailure" if made == 1 else "RunsFailed")
    assert len(phases(lab)) == made


def test_a_batch_that_has_enough_successes_succeeds_and_cancels_the_rest() -> None:
    lab = live(stories.batch_has_enough)
    assert ending(lab) == ("Succeeded", "SuccessPolicyMet")
    assert phases(lab) == {"a": "Succeeded", "b": "Canceled"}


def test_a_batch_past_its_deadline_fails_and_cancels_its_runs() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["many-a"] = [stories.LONG]
        lab.apply(BatchBuilder().spec(activeDeadlineSeconds=120))
        await asyncio.sleep(100)
        assert ending(lab) == ("Running", "RunsActive")
        await asyncio.sleep(30)
        assert ending(lab) == ("Failed", "DeadlineExceeded")

    assert phases(live(story)) == {"a": "Canceled"}


def test_the_end_is_decided_first_and_final_when_nothing_is_under_way() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates |= {"many-a": [FAILS], "many-b": [stories.LONG]}
        lab.apply(BatchBuilder(workers=2).spec(failurePolicy={"maxFailed": 0, "action": "Cancel"}))
        await lab.until(lambda: lab.batch().status.outcome is not None)
        assert (ending(lab)[0], lab.batch().status.active) == ("Finishing", 1)
        await lab.end()

    live(story)


def test_an_operator_that_starts_anew_cancels_what_its_predecessor_decided_to_cancel() -> None:
    def die_at_the_decision(lab: Simulation) -> None:
        def fault(request: Request, moment: Moment) -> None:
            stored = lab.api.find("RunBatch", "many") or {}
            decided = stored.get("status", {}).get("outcome") is not None
            if decided and not died and moment is Moment.AFTER:
                died.append(request)
                raise Killed

        died: list[Request] = []
        lab.api.fault = fault

    lab = live(stories.batch_has_enough, die_at_the_decision)
    assert (ending(lab)[0], phases(lab)["b"]) == ("Succeeded", "Canceled")


def test_starts_keep_their_distance() -> None:
    assert starts(live(stories.batch_paced)) == [60, 60]


def test_starts_keep_their_distance_when_the_operator_is_killed_between_them() -> None:
    def die_after_each_creation(request: Request, moment: Moment) -> None:
        if (request.verb, request.kind, moment) == ("create", "AutopackRun", Moment.AFTER):
            raise Killed

    lab = live(stories.batch_paced, lambda lab: setattr(lab.api, "fault", die_after_each_creation))
    first, second = starts(lab)
    assert 60 <= first <= 62
    assert 60 <= second <= 62


def test_the_jitter_is_between_runs_and_the_same_for_the_same_run() -> None:
    async def story(lab: Simulation) -> None:
        lab.apply(BatchBuilder(ids=SIX, workers=6).uid("fixed").spec(startIntervalSeconds=60, startJitterSeconds=60))
        await lab.end()

    first, second = starts(live(story)), starts(live(story))
    assert first == second
    assert len(set(first)) > 2
    assert all(60 <= distance <= 121 for distance in first)


@pytest.mark.parametrize(("before", "after"), [(4, 1), (1, 3)])
def test_the_number_of_workers_may_change_while_a_batch_runs(before: int, after: int) -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates |= {f"many-{item}": [Fate(seconds=100)] for item in SIX}
        lab.apply(BatchBuilder(ids=SIX, workers=before))
        await asyncio.sleep(stories.A_WHILE)
        assert lab.referee.most_unfinished["many"] == before
        lab.api.edit("RunBatch", "many", workers=after)
        await asyncio.sleep(stories.A_WHILE)
        lab.referee.most_unfinished.clear()
        await lab.end()

    lab = live(story)
    assert ending(lab) == ("Succeeded", "Completed")
    assert lab.referee.most_unfinished["many"] == after


def test_a_matrix_has_one_run_for_every_combination_with_its_values_in_the_environment() -> None:
    async def story(lab: Simulation) -> None:
        axes = [{"name": "MODEL", "values": ["S", "L"]}, {"name": "TASK", "values": ["x"]}]
        lab.apply(BatchBuilder(ids=(), workers=4).spec(matrix=axes))
        await lab.end()

    lab = live(story)
    assert (ending(lab), set(phases(lab))) == (("Succeeded", "Completed"), {"s-x", "l-x"})
    assert lab.api.get("AutopackRun", "many-l-x")["spec"]["env"] == [
        {"name": "MODEL", "value": "L"},
        {"name": "TASK", "value": "x"},
    ]


@pytest.mark.parametrize(("ttl", "fates"), [({"succeeded": 60}, Fate()), ({"failed": 60}, FAILS)])
def test_a_finished_batch_goes_when_its_time_is_over_with_its_runs(ttl: JsonDict, fates: Fate) -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["many-a"] = [fates]
        lab.apply(BatchBuilder().spec(ttlSecondsAfterFinished=ttl))
        await lab.until(lambda: lab.api.find("RunBatch", "many") is None)

    assert live(story).summary() == {}


def test_a_finished_batch_without_a_time_to_live_stays() -> None:
    async def story(lab: Simulation) -> None:
        lab.apply(BatchBuilder().spec(ttlSecondsAfterFinished={"failed": 1}))
        await lab.end()
        await asyncio.sleep(10_000)

    assert ending(live(story)) == ("Succeeded", "Completed")


def test_a_run_that_turns_up_after_the_end_of_its_batch_never_starts() -> None:
    """An operator asked for it and was killed; the request arrived when another one had finished the batch."""

    async def story(lab: Simulation) -> None:
        lab.apply(BatchBuilder().spec(cancel=True))
        await lab.end()
        lab.apply(child(lab.batch(), "a"))
        await lab.end()

    lab = live(story)
    assert (phases(lab), lab.run("many-a").status.attempt) == ({"a": "Canceled"}, 0)


def test_a_batch_of_two_thousand_runs_has_a_small_status_and_few_writes() -> None:
    async def story(lab: Simulation) -> None:
        finished = {"succeeded": "0-1989", "failed": ""}
        ids = tuple(f"r{number}" for number in range(2000))
        lab.apply(BatchBuilder(ids=ids, workers=4).status(started=1990, finishedIndexes=finished, startedAt=stamp()))
        await lab.end()

    lab = live(story)
    assert ending(lab) == ("Succeeded", "Completed")
    assert lab.batch().status.finished_indexes.succeeded == "0-1999"
    assert len(json.dumps(lab.api.get("RunBatch", "many")["status"])) < 1500
    assert len([request for request in lab.api.requests if request.kind == "RunBatch"]) <= 12


def test_a_refused_batch_goes_when_its_time_is_over() -> None:
    async def story(lab: Simulation) -> None:
        lab.apply(BatchBuilder().spec(workers="many", ttlSecondsAfterFinished={"failed": 60}))
        await lab.end()
        assert lab.batch().status.reason == "InvalidSpec"
        await lab.until(lambda: lab.api.find("RunBatch", "many") is None)
        assert lab.clock.monotonic() < RESYNC_SECONDS

    live(story)
