"""Turns, waits and second tries."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from autopack_gateway.service.governor.fair_queue import FairQueue, Line
from autopack_gateway.service.governor.governor import Governor
from autopack_gateway.service.governor.tries import FAILURES, Again, after_answer, is_saturated
from autopack_gateway.service.governor.waits import asked_for, used_up
from autopack_gateway.service.governor.window import FIRST, Window

NOW = 1_800_000_000.0


def test_batches_take_turns_then_their_runs_then_their_requests() -> None:
    queue: FairQueue[str] = FairQueue()
    for number in range(6):
        queue.push(Line(0, "many", f"run-{number % 2}"), f"many{number}")
    queue.push(Line(0, "one", "run-9"), "one")
    taken = [queue.pop()[1] for _ in range(7)]
    assert taken == ["many0", "one", "many1", "many2", "many3", "many4", "many5"]


def test_who_has_fewer_under_way_comes_first_and_priority_before_all() -> None:
    queue: FairQueue[int] = FairQueue()
    lines = [Line(0, "a", "a"), Line(0, "b", "b")]
    for line in lines:
        for number in range(20):
            queue.push(line, number)
    for _ in range(6):
        queue.pop()
    for _ in range(3):
        queue.done(lines[0])
    assert Counter(queue.pop()[0].batch for _ in range(3)) == {"a": 3}
    queue.push(Line(5, "b", "urgent"), 0)
    assert queue.pop()[0].run == "urgent"


def test_a_window_doubles_until_it_is_too_much_and_grows_by_one_afterwards() -> None:
    window = Window(100)
    for _ in range(FIRST):
        window.answered()
    assert window.width == 2 * FIRST
    assert window.refused(0.5, 1.0, 0)
    before = window.width
    assert before < 2 * FIRST
    for _ in range(before + 1):
        window.answered()
    assert window.width == before + 1
    for _ in range(10_000):
        window.answered()
    assert window.width == 100
    for step in range(50):
        window.refused(step + 0.5, step + 1.0, 0)
    assert window.width == 1


async def test_a_governor_lets_go_as_many_as_fit_and_takes_back_the_turn_of_who_left() -> None:
    governor, line = Governor(2), Line(0, "b", "r")
    await governor.enter(line)
    await governor.enter(line)
    waiting = [asyncio.create_task(governor.enter(line)) for _ in range(2)]
    await asyncio.sleep(0)
    assert governor.state[:3] == (2, 2, 2)
    waiting[0].cancel()
    await asyncio.gather(waiting[0], return_exceptions=True)
    governor.leave(line)
    waiting[1].cancel()
    await asyncio.gather(waiting[1], return_exceptions=True)
    assert governor.state[:3] == (2, 1, 0)
    await governor.enter(line)
    assert governor.state.under_way == 2


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Fri, 15 Jan 2027 08:00:05 GMT"}, 5),
        ({"retry-after": "soon"}, 0),
        ({"retry-after": "999999"}, 300),
        ({"retry-after": "-1"}, 0),
    ],
)
def test_how_long_a_refusal_says_to_wait(headers: dict[str, str], seconds: float) -> None:
    assert asked_for(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (
            {
                "anthropic-ratelimit-requests-remaining": "3",
                "anthropic-ratelimit-requests-reset": "2027-01-15T08:00:09Z",
            },
            0,
        ),
        ({"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2027-01-15T08:00:09Z"}, 9),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m2s"}, 62),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "120ms"}, 0.12),
        ({"x-ratelimit-remaining-tokens": "0"}, 0),
    ],
)
def test_how_long_an_answer_says_that_nothing_is_left(headers: dict[str, str], seconds: float) -> None:
    assert used_up(headers, NOW) == pytest.approx(seconds)


def test_what_is_tried_again() -> None:
    def after(status: int, tries: int = 1, wait: float = 0, left: float = 600) -> Again | None:
        saturated = is_saturated(status, {"Retry-After": "1"} if wait else {})
        return after_answer(status, saturated=saturated, wait=wait, tries=tries, left=left, backoff=0.5)

    assert after(429, wait=3) == Again(0.0, saturated=True, wait=3)
    assert after(429, tries=50) == Again(30.0, saturated=True)
    assert after(529) == Again(0.5, saturated=True)
    assert after(503, wait=2) == Again(0.0, saturated=True, wait=2)
    assert after(500, tries=2) == Again(1.0, saturated=False)
    assert after(503, tries=FAILURES) is None
    assert after(429, wait=700) is None
    assert [after(status) for status in (200, 400, 401, 403, 404, 501)] == [None] * 6
