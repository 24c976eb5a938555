"""The watch delivers late, twice, out of order, or not at all: the end is the same, and the referee sees no foul."""

from __future__ import annotations

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.autopack_operator.app import stories
from tests.unit.autopack_operator.app.simulation import Delivery, Simulation, Story, live

from autopack_operator.domain.api.common import JsonDict

DELAYS = st.lists(st.sampled_from([0.0, 0.004, 0.1, 3.0, 40.0]), max_size=3)


def delivery(plan: list[list[float]]) -> Delivery:
    """The n-th event is delivered as the plan's n-th entry says, those after the plan at once."""
    left = iter(plan)

    def deliver(event: str, body: JsonDict) -> list[float]:
        return next(left, [0.001])

    return deliver


@cache
def undisturbed(story: Story) -> JsonDict:
    return live(story).summary()


@settings(max_examples=40)
@given(
    # Not batch_has_enough: whether its second run has a pod when the first succeeds hangs on the watch, and may.
    story=st.sampled_from([stories.success, stories.eviction, stories.batch]),
    plan=st.lists(DELAYS, max_size=40),
)
def test_the_end_is_the_same_whatever_the_watch_does(story: Story, plan: list[list[float]]) -> None:
    def unreliable(lab: Simulation) -> None:
        lab.delivery, lab.api.strict = delivery(plan), False

    lab = live(story, unreliable)
    assert lab.summary() == undisturbed(story)
    assert lab.referee.most_unfinished["many"] <= 2
