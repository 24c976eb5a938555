"""What keeps a pod from running is told once it lasts; that a pod takes its time to start, only once it lasts long."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.unit.autopack_operator.app.simulation import Simulation, live
from tests.unit.autopack_operator.builders import PodBuilder, RunBuilder, later, stamp, world

from autopack_operator.domain.run import follow
from autopack_operator.domain.run.decide import decide
from autopack_operator.domain.run.memory import RunMemory
from autopack_operator.domain.run.world import Commit, Step, Wait, WriteStatus
from autopack_operator.domain.views import PodView, RunView, VolumeFailure

RUN = RunBuilder().attempt().view()
PULLING = {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}

STARTING = {
    "PodPending": PodBuilder(RUN).view(),
    "PodInitializing": PodBuilder(RUN).scheduled().container("workspace", running={}).view(),
}
HELD_UP = {
    "Unschedulable": PodBuilder(RUN).scheduled("False", "no node has the memory").view(),
    "SchedulingGated": replace(PodBuilder(RUN).view(), gated=True),
    "ErrImagePull": PodBuilder(RUN).scheduled().container("workspace", **PULLING).view(),
}
CASES = [(15.0, *case) for case in STARTING.items()] + [(5.0, *case) for case in HELD_UP.items()]


def step(run: RunView, pod: PodView, seconds: float) -> Step:
    return decide(run, world(run, pod=pod), later(seconds))


@pytest.mark.parametrize(("quiet", "reason", "pod"), CASES)
def test_it_is_told_at_its_time_and_not_before(quiet: float, reason: str, pod: PodView) -> None:
    assert step(RUN, pod, 1) == Wait(quiet - 1)
    assert step(RUN, pod, quiet - 0.5) == Wait(0.5)
    told = step(RUN, pod, quiet)
    assert isinstance(told, WriteStatus)
    assert (told.status.phase, told.status.reason) == ("Preparing", reason)


def test_what_only_tells_gives_way_to_other_requests_for_so_long() -> None:
    def crowded(pod: PodView, seconds: float) -> Step:
        return decide(RUN, world(RUN, pod=pod, crowded=True), later(seconds))

    for pod in (PodBuilder(RUN).running().view(), HELD_UP["ErrImagePull"]):
        assert crowded(pod, 6) == Wait(5)
        assert crowded(pod, 12) == Wait(3)
        assert isinstance(crowded(pod, 15), WriteStatus)
    assert isinstance(crowded(PodBuilder(RUN).ended().view(), 6), Commit)


def test_a_command_that_runs_is_told_at_once() -> None:
    assert isinstance(step(RUN, PodBuilder(RUN).running().view(), 1), WriteStatus)


def test_a_pod_that_is_held_up_while_it_starts_is_not_given_the_time_of_one_that_only_starts() -> None:
    assert step(RUN, STARTING["PodInitializing"], 6) == Wait(9)
    assert isinstance(step(RUN, HELD_UP["ErrImagePull"], 7), WriteStatus)


def test_a_pod_that_waited_for_room_is_given_the_same_time_from_then_on() -> None:
    waited = RunBuilder().attempt().status(reason="Unschedulable", message="no node has the memory").view()
    placed = PodBuilder(RUN).with_condition("PodScheduled", "True", lastTransitionTime=stamp(60)).view()
    assert step(waited, placed, 61) == Wait(14)
    assert isinstance(step(waited, placed, 75), WriteStatus)
    held_up = PodBuilder(RUN).with_condition("PodScheduled", "True", lastTransitionTime=stamp(60))
    assert isinstance(step(waited, held_up.container("workspace", **PULLING).view(), 65), WriteStatus)


def test_a_claimed_attempt_that_cannot_be_prepared_again_waits_for_so_long_and_says_why() -> None:
    away = VolumeFailure("VolumeUnavailable", "it restarts", transient=True)
    known = RunMemory(attempt=1, pod_absent=True, prepared=away)
    told = decide(RUN, world(RUN, known=known), later(10))
    assert isinstance(told, WriteStatus)
    assert (told.status.phase, told.status.reason, told.status.outcome) == ("Preparing", "VolumeUnavailable", None)
    waits = replace(RUN, status=told.status)
    assert decide(waits, world(waits, known=known), later(1809)) == Wait(5)
    ended = decide(waits, world(waits, known=known), later(1810))
    assert isinstance(ended, WriteStatus)
    assert ended.status.outcome is not None
    assert (ended.status.outcome.reason, ended.status.phase) == ("PrepareTimeout", "Finishing")


def test_nobody_has_to_speak_for_it_to_be_told() -> None:
    """A pod that no scheduler looks at: there is no event after its creation."""
    told: list[str] = []

    async def story(lab: Simulation) -> None:
        lab.api.watchers.remove(lab.kubelet._see)
        lab.apply(RunBuilder())
        await lab.until(lambda: bool(lab.pods()))
        for seconds in (follow.STARTING_SECONDS - 1, 2.0):
            await asyncio.sleep(seconds)
            told.append(lab.run().status.reason)
        lab.api.watchers.append(lab.kubelet._see)
        lab.api.edit("AutopackRun", "one", cancel=True)
        await lab.end()

    live(story)
    assert told == ["AttemptClaimed", "PodPending"]
