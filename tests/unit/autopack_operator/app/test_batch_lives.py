"""Batches from `kubectl apply` to their end; the referee counts unfinished runs at every change of the cluster."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.autopack_operator.app import stories
from tests.unit.autopack_operator.app.kubelet import Fate
from tests.unit.autopack_operator.app.simulation import RESYNC_SECONDS, Simulation, live
from tests.unit.autopack_operator.builders import BatchBuilder, RunBuilder, anchor_text
from tests.unit.autopack_operator.fake_api import Moment, Request, no_fault

from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.views import BatchView
from autopack_operator.ports.cluster import RejectedError

SIX = tuple("abcdef")


def counters(batch: BatchView) -> tuple[str, str, int, int, int]:
    status = batch.status
    return status.phase, status.reason, status.succeeded, status.failed, status.active


def runs(lab: Simulation) -> list[str]:
    return sorted(body["metadata"]["name"] for body in lab.api.all("AutopackRun"))


@pytest.mark.parametrize("workers", [1, 2, 4, 1000])
def test_a_batch_never_has_more_unfinished_runs_than_workers(workers: int) -> None:
    async def story(lab: Simulation) -> None:
        lab.apply(BatchBuilder(ids=SIX, workers=workers))
        await lab.end()

    lab = live(story)
    assert counters(lab.batch()) == ("Succeeded", "Completed", 6, 0, 0)
    # The anchor allows four.
    assert lab.referee.most_unfinished["many"] == min(workers, 4)


def test_a_failed_run_fails_its_batch_and_is_named_by_its_index() -> None:
    batch = live(stories.batch).batch()
    assert counters(batch) == ("Failed", "RunsFailed", 2, 1, 0)
    assert (batch.status.finished_indexes.succeeded, batch.status.finished_indexes.failed) == ("0,2", "1")
    assert batch.status.progress == "3/3"


def test_a_batch_has_the_sum_of_what_its_runs_used_also_of_those_that_are_gone() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["many-b"] = [Fate(eviction=True), Fate()]
        lab.apply(BatchBuilder())
        await lab.until(lambda: lab.batch().status.succeeded == 1)
        lab.api.remove("AutopackRun", "many-a")
        await lab.end()

    lab = live(story)
    usage = lab.batch().status.usage
    assert usage is not None
    assert (usage.requests, usage.input_tokens, usage.cost_usd) == (4, 4000, "1.00")


def test_a_batch_without_an_anchor_makes_no_runs() -> None:
    async def story(lab: Simulation) -> None:
        lab.apply(BatchBuilder().anchor(None))
        await lab.end()

    lab = live(story)
    assert counters(lab.batch()) == ("Refused", "AnchorAbsent", 0, 0, 0)
    assert runs(lab) == []


def test_an_anchor_that_is_withdrawn_stops_new_starts_but_not_what_runs() -> None:
    async def story(lab: Simulation) -> None:
        anchor = {"kind": "ConfigMap", "metadata": {"name": "project"}, "data": {"anchor.json": anchor_text()}}
        lab.api.add(anchor)
        lab.kubelet.fates["many-a"] = [stories.LONG]
        lab.apply(BatchBuilder().anchor("configmap/project"))
        await asyncio.sleep(stories.A_WHILE)
        lab.api.remove("ConfigMap", "project")
        await lab.end()

    lab = live(story)
    assert counters(lab.batch()) == ("Refused", "AnchorConfigMapMissing", 1, 0, 0)
    assert runs(lab) == ["many-a"]


def test_a_suspended_batch_lets_its_runs_go_on_and_starts_no_more() -> None:
    async def story(lab: Simulation) -> None:
        lab.apply(BatchBuilder())
        await asyncio.sleep(1)
        lab.api.edit("RunBatch", "many", suspend=True)
        await asyncio.sleep(stories.A_WHILE)
        assert counters(lab.batch()) == ("Suspended", "Suspended", 1, 0, 0)
        assert lab.batch().status.message == "no new runs start"
        lab.api.edit("RunBatch", "many", suspend=False)
        await lab.end()

    assert counters(live(story).batch()) == ("Succeeded", "Completed", 3, 0, 0)


def test_a_canceled_batch_cancels_its_runs_and_starts_no_more() -> None:
    lab = live(stories.batch_canceled)
    assert counters(lab.batch()) == ("Canceled", "Canceled", 0, 2, 0)
    assert {lab.run(name).status.phase for name in runs(lab)} == {"Canceled"}
    assert lab.pods() == []


def test_a_name_that_a_foreign_run_has_fails_that_run_of_the_batch_and_touches_nothing() -> None:
    async def story(lab: Simulation) -> None:
        lab.apply(RunBuilder("many-b").spec(suspend=True))
        lab.apply(BatchBuilder())
        await lab.until(lambda: lab.batch().terminal)

    lab = live(story)
    assert counters(lab.batch()) == ("Failed", "RunsFailed", 2, 1, 0)
    assert "AutopackRun many-b" in lab.batch().status.message
    assert lab.run("many-b").status.phase == "Pending"


def test_a_batch_made_anew_under_its_old_name_waits_for_the_old_runs_to_go() -> None:
    async def story(lab: Simulation) -> None:
        lab.apply(RunBuilder("many-b").owner("RunBatch", "many", "the old one's").spec(suspend=True))
        lab.apply(BatchBuilder())
        await asyncio.sleep(stories.A_WHILE)
        assert lab.batch().status.message == "AutopackRun many-b of an earlier RunBatch many has to be deleted first"
        lab.api.remove("AutopackRun", "many-b")
        await lab.end()

    assert counters(live(story).batch()) == ("Succeeded", "Completed", 3, 0, 0)


def test_a_run_that_a_person_deletes_counts_as_failed_and_is_not_made_again() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["many-a"] = [stories.LONG]
        lab.apply(BatchBuilder())
        await asyncio.sleep(stories.A_WHILE)
        lab.api.remove("AutopackRun", "many-a")
        await lab.end()

    lab = live(story)
    assert counters(lab.batch()) == ("Failed", "RunsFailed", 2, 1, 0)
    assert runs(lab) == ["many-b", "many-c"]


def test_a_finished_run_that_a_person_deletes_stays_counted() -> None:
    async def story(lab: Simulation) -> None:
        lab.apply(BatchBuilder())
        await lab.until(lambda: lab.batch().status.succeeded == 1)
        lab.api.remove("AutopackRun", "many-a")
        await lab.end()

    assert counters(live(story).batch()) == ("Succeeded", "Completed", 3, 0, 0)


def test_a_missing_profile_refuses_every_run_and_fails_the_batch() -> None:
    async def story(lab: Simulation) -> None:
        lab.api.remove("RunProfile", "default")
        lab.apply(BatchBuilder())
        await lab.end()

    lab = live(story)
    assert counters(lab.batch()) == ("Failed", "RunsFailed", 0, 3, 0)
    assert {lab.run(name).status.reason for name in runs(lab)} == {"ProfileMissing"}


def test_a_run_that_the_api_server_rejects_is_told_on_the_batch_and_asked_for_again() -> None:
    def no_runs(request: Request, moment: Moment) -> None:
        if (request.verb, request.kind, moment) == ("create", "AutopackRun", Moment.BEFORE):
            raise RejectedError("exceeded quota: runs")

    async def story(lab: Simulation) -> None:
        lab.api.fault = no_runs
        lab.apply(BatchBuilder())
        await asyncio.sleep(stories.A_WHILE)
        assert lab.batch().status.message == "exceeded quota: runs"
        lab.api.fault = no_fault
        await lab.end()

    assert counters(live(story).batch()) == ("Succeeded", "Completed", 3, 0, 0)


def test_a_run_whose_creation_failed_is_not_taken_for_deleted() -> None:
    """The second run is created, the first is not, then the user suspends: later the first still gets its turn."""

    def not_the_first(request: Request, moment: Moment) -> None:
        if (request.verb, request.name, moment) == ("create", "many-a", Moment.BEFORE):
            raise RejectedError("exceeded quota: runs")

    async def story(lab: Simulation) -> None:
        lab.api.fault = not_the_first
        lab.apply(BatchBuilder(workers=2))
        await asyncio.sleep(1)
        lab.api.edit("RunBatch", "many", suspend=True)
        await asyncio.sleep(stories.A_WHILE)
        lab.api.fault = no_fault
        lab.api.edit("RunBatch", "many", suspend=False)
        await lab.end()

    assert counters(live(story).batch()) == ("Succeeded", "Completed", 3, 0, 0)


def test_a_batch_with_more_variables_than_a_run_may_have_is_refused() -> None:
    async def story(lab: Simulation) -> None:
        def some(head: str) -> list[dict[str, str]]:
            return [{"name": f"{head}{number}"} for number in range(60)]

        template = {"source": {"repository": "sample"}, "command": ["agent"], "env": some("T")}
        lab.apply(BatchBuilder().spec(template=template, runs=[{"id": "a", "env": some("I")}]))
        await lab.end()

    batch = live(story).batch()
    assert counters(batch) == ("Refused", "InvalidSpec", 0, 0, 0)
    assert "run 'a' and the template have more than 100 variables" in batch.status.message


def test_a_deleted_batch_takes_its_runs_and_their_pods_along() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["many-a"] = [stories.LONG]
        lab.apply(BatchBuilder())
        await asyncio.sleep(stories.A_WHILE)
        lab.api.remove("RunBatch", "many")
        await asyncio.sleep(stories.A_WHILE)

    assert live(story).summary() == {}


def test_a_poisonous_run_does_not_hold_up_the_others() -> None:
    async def story(lab: Simulation) -> None:
        lab.apply(RunBuilder("poison").spec(command=[]), RunBuilder())
        await lab.end()

    lab = live(story)
    assert (lab.run("poison").status.reason, lab.run().status.phase) == ("InvalidSpec", "Succeeded")


def test_a_run_that_its_batch_made_starts_although_the_watch_tells_nothing_new_of_it() -> None:
    """The answer to its creation came first; the event is an echo of it."""

    def late(event: str, body: JsonDict) -> list[float]:
        return [0.1]

    async def story(lab: Simulation) -> None:
        lab.delivery = late
        lab.apply(BatchBuilder())
        await lab.end()
        assert lab.clock.monotonic() < RESYNC_SECONDS

    live(story)
