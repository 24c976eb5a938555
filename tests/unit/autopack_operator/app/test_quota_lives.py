"""maxConcurrentRuns of a profile: batches and single runs share its places, and each gets its turn."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from tests.unit.autopack_operator.app import stories
from tests.unit.autopack_operator.app.kubelet import Fate
from tests.unit.autopack_operator.app.simulation import Simulation, Story, live
from tests.unit.autopack_operator.builders import BatchBuilder, RunBuilder
from tests.unit.autopack_operator.fake_api import Fault, Killed, Moment, Request, no_fault

from autopack_operator.domain import projection
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.turns import occupies

FOUR = ("a", "b", "c", "d")


class Turns:
    """Watches who is under way."""

    def __init__(self, lab: Simulation) -> None:
        self._api = lab.api
        self.most = 0
        self.order: list[str] = []
        lab.api.watchers.append(self._see)

    def _see(self, event: str, body: JsonDict) -> None:
        if body["kind"] != "AutopackRun":
            return
        runs = [projection.run_view(other) for other in self._api.all("AutopackRun")]
        self.most = max(self.most, sum(map(occupies, runs)))
        if body.get("status", {}).get("attempt", 0) > 0 and body["metadata"]["name"] not in self.order:
            self.order.append(body["metadata"]["name"])


def watched(story: Story, places: int, fault: Fault = no_fault) -> tuple[Simulation, Turns]:
    """Play the story under that quota."""
    seen: list[Turns] = []

    def prepare(lab: Simulation) -> None:
        lab.api.edit("RunProfile", "default", maxConcurrentRuns=places)
        lab.api.fault = fault
        seen.append(Turns(lab))

    return live(story, prepare), seen[0]


async def two_batches(lab: Simulation) -> None:
    """Each wants more than there is."""
    lab.apply(BatchBuilder("one", FOUR, workers=4), BatchBuilder("two", FOUR, workers=4))
    await lab.end()


def test_two_batches_share_the_places_and_take_turns() -> None:
    lab, turns = watched(two_batches, 2)
    assert turns.most == 2
    # Whoever comes first finds both places free; from then on they take turns.
    batches = [name.split("-")[0] for name in turns.order[1:7]]
    assert [one != other for one, other in itertools.pairwise(batches)] == [True] * 5, turns.order
    assert {lab.batch(name).status.phase for name in ("one", "two")} == {"Succeeded"}


def test_a_batch_with_a_higher_priority_starts_its_runs_first() -> None:
    async def story(lab: Simulation) -> None:
        lab.apply(BatchBuilder("low", FOUR, workers=4))
        await asyncio.sleep(1)
        lab.apply(BatchBuilder("high", FOUR, workers=4).spec(priority=5))
        await lab.end()

    _, turns = watched(story, 1)
    assert turns.order == ["low-a", *(f"high-{item}" for item in FOUR), "low-b", "low-c", "low-d"]


def test_a_high_priority_that_wants_nothing_holds_nobody_up() -> None:
    async def story(lab: Simulation) -> None:
        lab.apply(BatchBuilder("high", FOUR).spec(priority=5, suspend=True), BatchBuilder("low", FOUR, workers=4))
        await lab.until(lambda: lab.batch("low").terminal)
        lab.api.edit("RunBatch", "high", cancel=True)
        await lab.end()

    lab, _ = watched(story, 1)
    assert lab.batch("low").status.phase == "Succeeded"


def test_a_single_run_waits_for_its_turn_and_says_so() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates |= {name: [Fate(seconds=100)] for name in ("one", "two")}
        lab.apply(RunBuilder("one"), RunBuilder("two"))
        await asyncio.sleep(stories.A_WHILE)
        [status] = [found for name in ("one", "two") if (found := lab.run(name).status).attempt == 0]
        assert (status.phase, status.reason) == ("Pending", "QuotaReached")
        assert status.message == "waits for its turn: RunProfile 'default' allows 1 run at once"
        await lab.end()

    lab, turns = watched(story, 1)
    assert (turns.most, lab.run("two").status.phase) == (1, "Succeeded")


def test_a_single_run_is_not_passed_by_by_a_batch_for_ever() -> None:
    async def story(lab: Simulation) -> None:
        lab.apply(BatchBuilder(ids=FOUR, workers=4))
        await asyncio.sleep(2)
        lab.apply(RunBuilder("one"))
        await lab.end()

    _, turns = watched(story, 1)
    assert turns.order.index("one") <= 2


def test_a_batch_none_of_whose_runs_may_start_says_so() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates["one"] = [Fate(seconds=100)]
        lab.apply(RunBuilder("one"))
        await asyncio.sleep(2)
        lab.apply(BatchBuilder())
        await asyncio.sleep(stories.A_WHILE)
        assert (lab.batch().status.phase, lab.batch().status.reason) == ("Running", "QuotaReached")
        await lab.end()

    lab, _ = watched(story, 1)
    assert lab.batch().status.phase == "Succeeded"


def test_a_quota_that_is_raised_lets_in_at_once_who_waits() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates |= {name: [stories.LONG] for name in ("one", "two")}
        lab.apply(RunBuilder("one"), RunBuilder("two"))
        await asyncio.sleep(stories.A_WHILE)
        lab.api.edit("RunProfile", "default", maxConcurrentRuns=2)
        await asyncio.sleep(10)
        assert lab.run("two").status.phase == "Running"
        await lab.end()

    watched(story, 1)


def test_a_suspended_run_gives_up_its_place_and_waits_for_its_turn_again() -> None:
    async def story(lab: Simulation) -> None:
        lab.kubelet.fates |= {"one": [stories.LONG, Fate()], "two": [Fate(seconds=100)]}
        lab.apply(RunBuilder("one"))
        await asyncio.sleep(10)
        lab.apply(RunBuilder("two"))
        lab.api.edit("AutopackRun", "one", suspend=True)
        await asyncio.sleep(stories.A_WHILE)
        assert lab.run("two").status.phase == "Running"
        lab.api.edit("AutopackRun", "one", suspend=False)
        await asyncio.sleep(10)
        assert (lab.run("one").status.phase, lab.run("one").status.reason) == ("Pending", "QuotaReached")
        await lab.end()

    _, turns = watched(story, 1)
    assert turns.most == 1


def test_runs_of_another_profile_do_not_count() -> None:
    async def story(lab: Simulation) -> None:
        profile = lab.api.get("RunProfile", "default")
        lab.api.add(profile | {"metadata": profile["metadata"] | {"name": "other", "uid": "other"}})
        lab.kubelet.fates["one"] = [stories.LONG]
        lab.apply(RunBuilder("one"), RunBuilder("two").spec(profileRef={"name": "other"}))
        await lab.until(lambda: lab.run("two").terminal)
        await lab.end()

    watched(story, 1)


@pytest.mark.parametrize("moment", list(Moment))
def test_an_operator_that_is_killed_again_and_again_keeps_the_quota(moment: Moment) -> None:
    killed: set[tuple[str, str]] = set()

    def fault(request: Request, when: Moment) -> None:
        once = (request.verb, request.name)
        if when is moment and request.verb in {"create", "status"} and once not in killed:
            killed.add(once)
            raise Killed

    lab, turns = watched(two_batches, 2, fault)
    assert turns.most == 2
    assert {lab.batch(name).status.phase for name in ("one", "two")} == {"Succeeded"}
