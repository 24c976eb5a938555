"""Deliveries of runs from `kubectl apply` to their end: asked for again and again after the run's end, made once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.autopack_operator.app import stories
from tests.unit.autopack_operator.app.simulation import WORKERS, Simulation, live
from tests.unit.autopack_operator.builders import BatchBuilder, RunBuilder

from autopack_operator.domain.conditions import ConditionType, find
from autopack_operator.domain.delivery.world import Delayed, NotDelivered

JsonDict = dict[str, Any]
DELIVER: JsonDict = {"target": "https://git.example/app.git"}
TEMPLATE: JsonDict = {"source": {"repository": "sample"}, "command": ["agent"], "deliver": DELIVER}
AWAY = Delayed("HostUnavailable", "the host is away")


def delivering(name: str = "one", **deliver: object) -> RunBuilder:
    return RunBuilder(name).spec(deliver=DELIVER | deliver)


def test_a_delivered_run_says_where_its_work_is() -> None:
    lab = live(stories.delivery)
    run = lab.run()
    assert (run.status.phase, run.status.reason) == ("Succeeded", "Completed")
    delivery, told = run.status.delivery, find(run.status.conditions, ConditionType.DELIVERED)
    assert delivery is not None
    assert delivery.pull_request is not None
    assert told is not None
    assert (delivery.branch, delivery.pull_request.url, told.status) == ("agents/one", "https://git.example/7", "True")
    assert lab.server.branches == {"agents/one": run.status.commit}
    assert lab.events.told == [("one", "Completed"), ("one", "Delivered")]
    assert lab.telemetry.deliveries == ["Delivered"]


def test_what_cannot_be_delivered_now_is_asked_for_again() -> None:
    told: list[str] = []

    async def story(lab: Simulation) -> None:
        lab.allow_delivery()
        lab.server.answers["one"] = [None, AWAY, AWAY, None]
        lab.apply(delivering())
        await lab.until(lambda: len(lab.server.asked) > 1 and lab.delivered("one") == "Pending")
        await asyncio.sleep(1)
        delivery = lab.run().status.delivery
        told.append(delivery.message if delivery is not None else "")
        await lab.until(lambda: lab.delivered("one") == "Delivered")

    lab = live(story)
    assert told == ["the host is away"]
    assert (len(lab.server.asked), lab.server.pushes) == (5, 1)


@pytest.mark.parametrize("state", ["Conflict", "Refused", "Failed"])
def test_an_end_is_told_once_and_can_be_tried_again(state: str) -> None:
    async def story(lab: Simulation) -> None:
        lab.allow_delivery()
        lab.server.answers["one"] = [NotDelivered(state, "Why", "because")]
        lab.apply(delivering())
        await lab.until(lambda: lab.delivered("one") == state)
        await asyncio.sleep(1000)
        assert len(lab.server.asked) == 1
        lab.api.edit("AutopackRun", "one", deliver=DELIVER | {"round": 1})
        await lab.until(lambda: lab.delivered("one") == "Delivered")

    lab = live(story)
    assert lab.events.told == [("one", "Completed"), ("one", f"Delivery{state}"), ("one", "Delivered")]


def test_a_finished_run_can_be_delivered_later() -> None:
    async def story(lab: Simulation) -> None:
        lab.allow_delivery()
        lab.apply(RunBuilder())
        await lab.end()
        await asyncio.sleep(500)
        lab.api.edit("AutopackRun", "one", deliver=DELIVER)
        await lab.until(lambda: lab.delivered("one") == "Delivered")

    run = live(story).run()
    assert run.status.usage is not None, "the rest of the status was lost"
    assert run.status.sha is not None


def test_what_may_not_be_delivered_is_refused_before_a_pod_starts() -> None:
    async def story(lab: Simulation) -> None:
        lab.allow_delivery()
        lab.apply(delivering(branch="main"))
        await lab.end()

    lab = live(story)
    assert (lab.run().status.phase, lab.run().status.reason) == ("Refused", "DeliveryNotAllowed")
    assert lab.pods() == []


def test_an_approval_of_the_commit_sets_it_going() -> None:
    async def story(lab: Simulation) -> None:
        lab.allow_delivery(approval="Required")
        lab.apply(delivering())
        await lab.until(lambda: lab.delivered("one") == "AwaitingApproval")
        await asyncio.sleep(500)
        assert lab.server.asked == []
        approval = {"decision": "Approved", "branch": "agents/one", "by": "jo"}
        lab.api.edit("AutopackRun", "one", approval=approval | {"commit": "d" * 40})
        await asyncio.sleep(500)
        assert lab.server.asked == []
        rejection = approval | {"commit": lab.run().status.commit, "decision": "Rejected"}
        lab.api.edit("AutopackRun", "one", approval=rejection)
        await lab.until(lambda: lab.delivered("one") == "Refused")
        lab.api.edit(
            "AutopackRun", "one", approval=rejection | {"decision": "Approved"}, deliver=DELIVER | {"round": 1}
        )
        await lab.until(lambda: lab.delivered("one") == "Delivered")

    delivery = live(story).run().status.delivery
    assert delivery is not None
    assert delivery.approved_by == "jo"


def test_a_run_that_is_not_kept_waits_for_its_delivery() -> None:
    async def story(lab: Simulation) -> None:
        lab.allow_delivery()
        lab.server.answers["one"] = [AWAY] * 10
        lab.apply(delivering().spec(ttlSecondsAfterFinished={"succeeded": 1}))
        await lab.until(lambda: lab.api.find("AutopackRun", "one") is None)

    lab = live(story)
    assert lab.server.pushes == 1
    assert lab.events.told == [("one", "Completed"), ("one", "Delivered")]


def test_a_run_that_is_deleted_before_its_delivery_says_what_is_lost() -> None:
    async def story(lab: Simulation) -> None:
        lab.allow_delivery(approval="Required")
        lab.apply(delivering())
        await lab.until(lambda: lab.delivered("one") == "AwaitingApproval")
        lab.api.remove("AutopackRun", "one")
        await asyncio.sleep(5)

    assert live(story).events.told[-1] == ("one", "DeliveryLost")


def test_a_batch_counts_its_deliveries_after_its_end_as_well() -> None:
    counts: list[tuple[int, int, int]] = []

    async def story(lab: Simulation) -> None:
        lab.allow_delivery()
        lab.server.answers["many-b"] = [AWAY] * 6
        lab.server.answers["many-c"] = [NotDelivered("Conflict", "RemoteMoved", "somebody else pushed")]
        lab.apply(BatchBuilder(workers=3).spec(template=TEMPLATE))
        await lab.end()
        await lab.until(lambda: lab.delivered("many-b") == "Delivered")
        await asyncio.sleep(5)
        status = lab.batch().status.delivery
        assert status is not None
        counts.append((status.delivered, status.failed, status.pending))
        assert (status.delivered_indexes, status.failed_indexes) == ("0-1", "2")

    lab = live(story)
    assert counts == [(2, 1, 0)]
    assert set(lab.server.branches) == {"agents/many/many-a", "agents/many/many-b"}


def test_a_batch_that_is_not_kept_waits_for_its_deliveries() -> None:
    async def story(lab: Simulation) -> None:
        lab.allow_delivery()
        lab.server.answers["many-c"] = [AWAY] * 8
        lab.apply(BatchBuilder(workers=3).spec(template=TEMPLATE, ttlSecondsAfterFinished={"succeeded": 1}))
        await lab.until(lambda: lab.api.find("RunBatch", "many") is None)

    lab = live(story)
    assert lab.server.pushes == 3
    assert ("many-c", "DeliveryLost") not in lab.events.told


def test_a_publisher_that_hangs_does_not_hold_up_the_runs() -> None:
    names = [f"run-{number}" for number in range(WORKERS + 1)]

    async def story(lab: Simulation) -> None:
        lab.allow_delivery()
        lab.server.hangs = asyncio.Event()
        lab.apply(*map(delivering, names))
        await lab.until(lambda: all(map(lab.delivered, names)))
        lab.apply(RunBuilder("other"))
        await lab.until(lambda: lab.run("other").terminal)
        assert 0 < lab.server.waiting < WORKERS
        lab.server.hangs.set()
        await lab.until(lambda: lab.server.pushes == len(names))

    live(story)
