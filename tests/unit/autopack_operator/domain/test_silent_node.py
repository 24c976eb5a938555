"""A pod whose node does not say that it has stopped: nothing is done in its place, and people are told."""

from __future__ import annotations

import pytest
from tests.unit.autopack_operator.builders import PodBuilder, RunBuilder, later, world

from autopack_operator.domain.run.decide import decide
from autopack_operator.domain.run.world import Wait, WriteStatus
from autopack_operator.domain.views import PodView, RunView

FINISHING = {"phase": "Failed", "reason": "DeadlineExceeded"}


def a_lost_pod(run: RunView) -> PodView:
    return PodBuilder(run).running().deleting().view()


@pytest.mark.parametrize("outcome", [None, FINISHING])
def test_a_pod_that_is_still_being_stopped_is_waited_for(outcome: dict[str, str] | None) -> None:
    run = RunBuilder().running().status(**({"outcome": outcome} if outcome else {})).view()
    step = decide(run, world(run, pod=a_lost_pod(run)), later(59))
    assert isinstance(step, Wait)


@pytest.mark.parametrize("outcome", [None, FINISHING])
def test_a_node_that_stays_silent_is_told_of_once_and_nothing_starts_in_its_place(
    outcome: dict[str, str] | None,
) -> None:
    run = RunBuilder().running().status(**({"outcome": outcome} if outcome else {})).view()
    told = decide(run, world(run, pod=a_lost_pod(run)), later(61))
    assert isinstance(told, WriteStatus)
    assert (told.status.phase, told.status.reason, told.status.attempt) == ("Finishing", "NodeSilent", 1)
    assert "out-of-service" in told.status.message
    body = RunBuilder().running().status(**told.status.model_dump(by_alias=True, exclude_none=True, mode="json"))
    assert decide(body.view(), world(run, pod=a_lost_pod(run)), later(500)) == Wait()


def test_a_node_that_speaks_again_ends_the_wait() -> None:
    run = RunBuilder().running().status(phase="Finishing", reason="NodeSilent").view()
    pod = PodBuilder(run).ended(143).deleting().view()
    assert not isinstance(decide(run, world(run, pod=pod), later(500)), Wait)
