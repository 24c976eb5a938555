"""The operator is killed at every request in turn, and every request is refused, or loses its answer, in turn: the end
is always the same, and nothing that must never be seen is seen on the way (see referee.py).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.autopack_operator.app import stories
from tests.unit.autopack_operator.app.simulation import Simulation, Story, live
from tests.unit.autopack_operator.fake_api import Killed, Moment, Request

from autopack_operator.ports.cluster import ConflictError, TransientError

RICH = [stories.success, stories.eviction, stories.batch]
STORIES = [
    *RICH,
    stories.refusal,
    stories.cancel_while_running,
    stories.cancel_before_retry,
    stories.suspend_and_resume,
    stories.time_to_live,
    stories.deadline,
    stories.deletion,
    stories.batch_canceled,
    stories.batch_gives_up,
    stories.delivery,
    stories.budget_spent_and_raised,
]
Error = Callable[[], BaseException]
KILLS: dict[str, tuple[Moment, Error]] = {
    "killed before": (Moment.BEFORE, Killed),
    "killed after": (Moment.AFTER, Killed),
    "killed and arrives late": (Moment.BEFORE, lambda: Killed(late=True)),
}
ERRORS: dict[str, tuple[Moment, Error]] = {
    "conflict": (Moment.BEFORE, lambda: ConflictError("409")),
    "overload": (Moment.BEFORE, lambda: TransientError("429")),
    "connection reset": (Moment.AFTER, lambda: TransientError("connection reset")),
}
FAULTS = KILLS | ERRORS
SERVICES = {"Volume", "Publisher"}
"""Not the API server: what they answer is an answer, and no error."""
SUBTLE = {"killed and arrives late", "conflict"}
"""Seldom tell more than the others do, so the rich stories are enough for them."""


def cases(faults: dict[str, tuple[Moment, Error]]) -> list[object]:
    """Every fault in every story where it may tell something."""
    return [
        pytest.param(story, fault, id=f"{story.__name__}-{fault}")
        for fault in faults
        for story in (RICH if fault in SUBTLE else STORIES)
    ]


class Faults:
    """Each hits one request, by number."""

    def __init__(self, *planned: tuple[int, str]) -> None:
        self._planned = {(number, FAULTS[name][0]): FAULTS[name][1] for number, name in planned}
        self.hit: list[Request] = []

    def __call__(self, request: Request, moment: Moment) -> None:
        error = self._planned.get((request.number, moment))
        if error is not None:
            self.hit.append(request)
            raise error()

    def install(self, lab: Simulation) -> None:
        lab.api.fault, lab.api.strict = self, False


@cache
def undisturbed(story: Story) -> Simulation:
    return live(story, Faults().install)


def differs(story: Story, faults: Faults) -> str:
    """How the end differs from the undisturbed one; empty when it does not."""
    try:
        found, expected = live(story, faults.install).summary(), undisturbed(story).summary()
    except AssertionError as error:
        return f"{faults.hit}: {error}"
    return "" if found == expected else f"{faults.hit}: {found} instead of {expected}"


@pytest.mark.parametrize(("story", "fault"), cases(KILLS))
def test_an_operator_killed_at_any_request_is_replaced_without_a_trace(story: Story, fault: str) -> None:
    requests = undisturbed(story).api.requests
    assert [text for request in requests if (text := differs(story, Faults((request.number, fault))))] == []


@pytest.mark.parametrize(("story", "fault"), cases(ERRORS))
def test_an_error_of_the_api_server_at_any_request_is_overcome(story: Story, fault: str) -> None:
    requests = [request for request in undisturbed(story).api.requests if request.kind not in SERVICES]
    assert [text for request in requests if (text := differs(story, Faults((request.number, fault))))] == []


@settings(max_examples=40)
@given(
    story=st.sampled_from([stories.eviction, stories.cancel_while_running, stories.batch, stories.batch_gives_up]),
    planned=st.lists(st.tuples(st.integers(0, 40), st.sampled_from(sorted(FAULTS))), min_size=2, max_size=5),
)
def test_several_faults_are_overcome(story: Story, planned: list[tuple[int, str]]) -> None:
    volume = {request.number for request in undisturbed(story).api.requests if request.kind == "Volume"}
    assert differs(story, Faults(*(plan for plan in planned if plan[1] in KILLS or plan[0] not in volume))) == ""
